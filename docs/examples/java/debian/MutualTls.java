import io.grpc.ManagedChannelBuilder;
import io.grpc.netty.NettyChannelBuilder;
import io.netty.handler.ssl.Http2Tls;
import java.io.File;

/** Mutual TLS with Debian's Netty, which lacks a class that gRPC's own TlsChannelCredentials need. */
final class MutualTls {
    static ManagedChannelBuilder<?> connectTo(String address, File ca, File certificate, File key) throws Exception {
        return NettyChannelBuilder.forTarget(address).sslContext(Http2Tls.forClient(ca, certificate, key));
    }
}
