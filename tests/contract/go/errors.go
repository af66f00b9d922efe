package main

import (
	"fmt"
	"sort"
	"strings"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

const errorDomain = "temporarypin"

// matchError compares an error completely: it may have nothing that is not expected.
func (m Matcher) matchError(expected map[string]interface{}, failure *status.Status) error {
	if failure.Code() == codes.DeadlineExceeded {
		// Client or server may be first: only the code counts.
		return m.match("error.code", expected["code"], codeName(failure.Code()))
	}
	found, err := readError(failure)
	if err != nil {
		return err
	}
	for key := range found {
		if _, ok := expected[key]; !ok {
			return differ("error."+key, absent{}, found[key])
		}
	}
	if metadata, ok := expected["metadata"].(map[string]interface{}); ok {
		more, _ := found["metadata"].(map[string]interface{})
		for key, value := range more {
			if _, ok := metadata[key]; !ok {
				return differ("error.metadata."+key, absent{}, value)
			}
		}
	}
	return m.match("error", expected, found)
}

// readError describes an error as cases do.
func readError(failure *status.Status) (map[string]interface{}, error) {
	found := map[string]interface{}{"code": codeName(failure.Code())}
	for _, detail := range failure.Details() {
		switch detail := detail.(type) {
		case *errdetails.ErrorInfo:
			if detail.Domain != errorDomain {
				return nil, fmt.Errorf("the domain is %s", detail.Domain)
			}
			found["reason"] = detail.Reason
			if len(detail.Metadata) > 0 {
				metadata := map[string]interface{}{}
				for key, value := range detail.Metadata {
					metadata[key] = value
				}
				found["metadata"] = metadata
			}
		case *errdetails.BadRequest:
			var fields []string
			for _, violation := range detail.FieldViolations {
				fields = append(fields, violation.Field)
			}
			sort.Strings(fields)
			found["fields"] = list(fields)
		case *errdetails.RetryInfo:
			found["retry_seconds"] = detail.RetryDelay.AsDuration().Seconds()
		case *errdetails.QuotaFailure:
			var subjects []string
			for _, violation := range detail.Violations {
				subjects = append(subjects, violation.Subject)
			}
			found["quota"] = list(subjects)
		case *errdetails.PreconditionFailure:
			var types []string
			for _, violation := range detail.Violations {
				types = append(types, violation.Type)
			}
			found["preconditions"] = list(types)
		case *errdetails.LocalizedMessage:
			found["localized"] = map[string]interface{}{"locale": detail.Locale, "message": detail.Message}
		case *errdetails.RequestInfo:
			found["request_info"] = map[string]interface{}{"request_id": detail.RequestId}
		default:
			return nil, fmt.Errorf("the detail %T is not described by docs/contract-tests.md", detail)
		}
	}
	return found, nil
}

func list(texts []string) []interface{} {
	items := []interface{}{}
	for _, text := range texts {
		items = append(items, text)
	}
	return items
}

// codeName writes a code as gRPC does: INVALID_ARGUMENT.
func codeName(code codes.Code) string {
	if code == codes.OK {
		return "OK"
	}
	var name strings.Builder
	for i, letter := range code.String() {
		if i > 0 && 'A' <= letter && letter <= 'Z' {
			name.WriteByte('_')
		}
		name.WriteRune(letter)
	}
	return strings.ToUpper(name.String())
}
