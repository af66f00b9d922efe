import com.google.gson.Gson;
import dk.temporarypin.v1.RedemptionServiceGrpc;
import dk.temporarypin.v1.RedemptionServiceGrpc.RedemptionServiceBlockingStub;
import dk.temporarypin.v1.TemporaryPinServiceGrpc;
import dk.temporarypin.v1.TemporaryPinServiceGrpc.TemporaryPinServiceBlockingStub;
import io.grpc.Channel;
import io.grpc.ClientInterceptors;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.StatusRuntimeException;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.stub.MetadataUtils;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;

/** The connection to the service. Make one for the life of the process: it carries many calls at once. */
final class Service implements AutoCloseable {
    private static final Metadata.Key<String> ACCEPT_LANGUAGE =
            Metadata.Key.of("accept-language", Metadata.ASCII_STRING_MARSHALLER);

    final TemporaryPinServiceBlockingStub temporaryPin;
    final RedemptionServiceBlockingStub redemption;
    private final HealthGrpc.HealthBlockingStub health;
    private final ManagedChannel connection;

    /**
     * Connects with the certificate of `caller`, which decides the channel and the roles. The language is that of the texts
     * for the person in refusals.
     */
    Service(String caller, String language) throws Exception {
        Path certificates = Path.of(System.getenv("SANDBOX_CERTIFICATES"));
        connection = MutualTls.connectTo(
                        System.getenv("SANDBOX_TLS"),
                        certificates.resolve("ca.pem").toFile(),
                        certificates.resolve(caller + ".pem").toFile(),
                        certificates.resolve(caller + ".key").toFile())
                .defaultServiceConfig(deadlinesAndRetries())
                .enableRetry()
                .keepAliveTime(60, TimeUnit.SECONDS)
                .keepAliveTimeout(20, TimeUnit.SECONDS)
                .build();
        Metadata metadata = new Metadata();
        metadata.put(ACCEPT_LANGUAGE, language);
        Channel channel = ClientInterceptors.intercept(connection, MetadataUtils.newAttachHeadersInterceptor(metadata));
        temporaryPin = TemporaryPinServiceGrpc.newBlockingStub(channel);
        redemption = RedemptionServiceGrpc.newBlockingStub(channel);
        health = HealthGrpc.newBlockingStub(channel);
    }

    /** One file for every frontend. gRPC wants all numbers in it as Double, as Gson reads them; Jackson does not. */
    @SuppressWarnings("unchecked")
    private static Map<String, ?> deadlinesAndRetries() throws Exception {
        String json = Files.readString(Path.of("deploy/contract/service_config.json"));
        return new Gson().fromJson(json, Map.class);
    }

    /** Calls a method: `call(service.temporaryPin::verifyIdentity, request)`. */
    static <Q, A> A call(Function<Q, A> method, Q request) throws Refused {
        try {
            return method.apply(request);
        } catch (StatusRuntimeException error) {
            throw new Refused(error);
        }
    }

    /** For the readiness of this process, not before each call. */
    boolean isServing() {
        HealthCheckRequest request =
                HealthCheckRequest.newBuilder().setService(TemporaryPinServiceGrpc.SERVICE_NAME).build();
        return health.withDeadlineAfter(2, TimeUnit.SECONDS).check(request).getStatus() == ServingStatus.SERVING;
    }

    @Override
    public void close() throws InterruptedException {
        connection.shutdown().awaitTermination(10, TimeUnit.SECONDS);
    }
}
