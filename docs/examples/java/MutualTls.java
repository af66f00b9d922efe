import io.grpc.Grpc;
import io.grpc.ManagedChannelBuilder;
import io.grpc.TlsChannelCredentials;
import java.io.File;
import java.io.IOException;

/** Mutual TLS as gRPC from Maven has it (`io.grpc:grpc-netty-shaded`). On Debian's packages, debian/MutualTls.java replaces it. */
final class MutualTls {
    static ManagedChannelBuilder<?> connectTo(String address, File ca, File certificate, File key) throws IOException {
        var credentials = TlsChannelCredentials.newBuilder().trustManager(ca).keyManager(certificate, key).build();
        return Grpc.newChannelBuilder(address, credentials);
    }
}
