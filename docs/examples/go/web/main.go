// The profile page: the person logs in, waits 24 hours, logs in again, and orders a PIN.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"frontend/service"
	"frontend/world"

	pb "temporarypin/v1"
)

type page struct {
	client pb.TemporaryPinServiceClient
	person *world.Person
}

func main() {
	connection, err := service.Connect("web", "en")
	if err != nil {
		log.Fatal(err)
	}
	defer connection.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	if err := service.CheckHealth(ctx, connection); err != nil {
		log.Fatal(err)
	}
	p := page{pb.NewTemporaryPinServiceClient(connection), world.ClaimPerson()}
	if err := p.order(); err != nil {
		log.Fatal(err)
	}
}

func (p page) order() error {
	// The first accepted login requests access. Show the person from when on a PIN can be ordered.
	first, err := p.logIn()
	if err != nil {
		return err
	}
	fmt.Println("wait until", first.AccessHold.EligibleTime.AsTime().Format(time.RFC3339Nano))
	_, err = p.issue(first.VerificationId, world.UUID())
	var refused *service.Refused
	if !errors.As(err, &refused) || refused.Reason != "HOLD_RUNNING" || refused.NextAttemptTime.IsZero() {
		return fmt.Errorf("a PIN during the hold: %v", err)
	}
	fmt.Println("show the person:", refused.Message)
	p.person.LastSMS(1) // the notice that access was requested

	world.Advance(86400)
	second, err := p.logIn()
	if err != nil {
		return err
	}
	if second.AccessHold.State != pb.AccessHold_STATE_PASSED {
		return fmt.Errorf("the hold is %v", second.AccessHold.State)
	}
	// Make one request id per order and keep it until the answer has come: a repeat sends no second SMS.
	requestID := world.UUID()
	pinRequest, err := p.issue(second.VerificationId, requestID)
	if err != nil {
		return err
	}
	if again, err := p.issue(second.VerificationId, requestID); err != nil || again.Id != pinRequest.Id {
		return fmt.Errorf("the repeat: %v", err)
	}
	fmt.Println("sent to", pinRequest.MaskedMobileNumber)
	return nil
}

// logIn logs the person in with MitID, and sends the ID token with the nonce of the login.
func (p page) logIn() (*pb.VerifyIdentityResponse, error) {
	nonce := world.UUID()
	login := &pb.WebLogin{IdToken: world.LogIn(p.person, nonce), Nonce: nonce}
	answer, err := p.client.VerifyIdentity(context.Background(), &pb.VerifyIdentityRequest{
		Evidence: &pb.VerifyIdentityRequest_WebLogin{WebLogin: login},
	})
	if err == nil && answer.State != pb.VerifyIdentityResponse_STATE_VERIFIED {
		err = fmt.Errorf("not verified: %v", answer.Reasons)
	}
	return answer, err
}

func (p page) issue(verificationID, requestID string) (*pb.PinRequest, error) {
	issued, err := p.client.IssueTemporaryPin(context.Background(), &pb.IssueTemporaryPinRequest{
		RequestId: requestID, VerificationId: verificationID,
	})
	if err != nil {
		return nil, err
	}
	return issued.PinRequest, nil
}
