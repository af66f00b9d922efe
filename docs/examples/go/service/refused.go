package service

import (
	"fmt"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// Refused is the error of a call. It never contains the request, which must not be logged.
type Refused struct {
	Code codes.Code
	// Reason is empty if the error comes from the client itself or from a proxy: then go by the code.
	Reason string
	// NextAttemptTime is zero if waiting does not help.
	NextAttemptTime time.Time
	// RetryDelay is how long to wait before the next call.
	RetryDelay time.Duration
	// Message is the text to show or read out to the person.
	Message string
	// Fields are the malformed fields.
	Fields []string
}

func (r *Refused) Error() string {
	return fmt.Sprintf("%v %s", r.Code, r.Reason)
}

func refused(err error) error {
	if err == nil {
		return nil
	}
	failure := status.Convert(err)
	r := &Refused{Code: failure.Code(), Message: "Please try again later."}
	for _, detail := range failure.Details() {
		switch detail := detail.(type) {
		case *errdetails.ErrorInfo:
			r.Reason = detail.Reason
			r.NextAttemptTime, _ = time.Parse(time.RFC3339, detail.Metadata["nextAttemptTime"])
		case *errdetails.LocalizedMessage:
			r.Message = detail.Message
		case *errdetails.RetryInfo:
			r.RetryDelay = detail.RetryDelay.AsDuration()
		case *errdetails.BadRequest:
			for _, violation := range detail.FieldViolations {
				r.Fields = append(r.Fields, violation.Field)
			}
		}
	}
	return r
}
