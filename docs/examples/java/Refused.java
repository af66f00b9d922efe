import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.rpc.BadRequest;
import com.google.rpc.ErrorInfo;
import com.google.rpc.LocalizedMessage;
import com.google.rpc.RetryInfo;
import com.google.rpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/** A call failed. Says why and what to do; never contains the request, which must not be logged. */
final class Refused extends Exception {
    final io.grpc.Status.Code code;
    /** Null if the error comes from the client itself or from a proxy: then go by the code. */
    String reason;
    /** When to try again. Null if waiting does not help. */
    Instant nextAttemptTime;
    /** How long to wait before the next call. Null if nothing is known. */
    Duration retryDelay;
    /** The text to show or read out to the person. */
    String message = "Please try again later.";
    /** The malformed fields. */
    final List<String> fields = new ArrayList<>();

    Refused(StatusRuntimeException error) {
        super(error.getStatus().getCode() + " " + error.getStatus().getDescription());
        code = error.getStatus().getCode();
        Status status = StatusProto.fromThrowable(error); // null without the trailer grpc-status-details-bin
        try {
            for (Any detail : status == null ? List.<Any>of() : status.getDetailsList()) {
                read(detail);
            }
        } catch (InvalidProtocolBufferException malformed) {
            addSuppressed(malformed);
        }
    }

    private void read(Any detail) throws InvalidProtocolBufferException {
        if (detail.is(ErrorInfo.class)) {
            ErrorInfo info = detail.unpack(ErrorInfo.class);
            reason = info.getReason();
            String time = info.getMetadataOrDefault("nextAttemptTime", null);
            nextAttemptTime = time == null ? null : Instant.parse(time);
        } else if (detail.is(LocalizedMessage.class)) {
            message = detail.unpack(LocalizedMessage.class).getMessage();
        } else if (detail.is(RetryInfo.class)) {
            var delay = detail.unpack(RetryInfo.class).getRetryDelay();
            retryDelay = Duration.ofSeconds(delay.getSeconds(), delay.getNanos());
        } else if (detail.is(BadRequest.class)) {
            detail.unpack(BadRequest.class).getFieldViolationsList().forEach(violation -> fields.add(violation.getField()));
        }
    }
}
