// Citizen Service: verifies a person by a document and a witness, and orders a PIN. Then the authenticator core redeems it.
package main

import (
	"context"
	"fmt"
	"log"
	"regexp"

	"frontend/service"
	"frontend/world"

	pb "temporarypin/v1"
)

func main() {
	visitor := world.ClaimPerson()
	if err := verifyAndOrder(visitor); err != nil {
		log.Fatal(err)
	}
	// The example stands in for the person here: it reads the PIN from the SMS and redeems it. A real frontend never sees the PIN.
	sms := visitor.LastSMS(1) // waits for the first SMS
	pin := regexp.MustCompile(`\b\d{4} \d{4}\b`).FindString(sms)
	if err := redeem(visitor, pin); err != nil {
		log.Fatal(err)
	}
}

func verifyAndOrder(visitor *world.Person) error {
	connection, err := service.Connect("counter", "en")
	if err != nil {
		return err
	}
	defer connection.Close()
	client := pb.NewTemporaryPinServiceClient(connection)
	ctx := context.Background()
	witness := world.ClaimPerson()
	// Random, and new for each login: it is accepted once (R23).
	nonce := world.UUID()

	answer, err := client.VerifyIdentity(ctx, &pb.VerifyIdentityRequest{
		Evidence: &pb.VerifyIdentityRequest_CounterIdentification{CounterIdentification: &pb.CounterIdentification{
			Person:   visitor.Reference(),
			Document: visitor.Passport(),
			MrzLines: visitor.Documents[0].MrzLines,
			Confirmation: &pb.CounterIdentification_Witness{
				Witness: &pb.Witness{
					Person:   witness.Reference(),
					Document: witness.Passport(),
					// The witness logs in with their own MitID, at a screen of the office.
					LoginToken: world.LogIn(witness, nonce),
					Nonce:      nonce,
				},
			},
			AgentToken:           world.AgentToken("clara-clerk"),
			OfficeId:             "AARHUS-1",
			AppointmentReference: "A-1",
		}},
	})
	if err != nil {
		return err
	}
	if answer.State != pb.VerifyIdentityResponse_STATE_VERIFIED {
		return fmt.Errorf("not verified: %v", answer.Reasons)
	}
	fmt.Println("verified:", answer.AssuranceLevel)
	issued, err := client.IssueTemporaryPin(ctx, &pb.IssueTemporaryPinRequest{
		RequestId: world.UUID(), VerificationId: answer.VerificationId,
	})
	if err != nil {
		return err
	}
	fmt.Println("sent to", issued.PinRequest.MaskedMobileNumber)
	return nil
}

func redeem(visitor *world.Person, pin string) error {
	connection, err := service.Connect("redeemer", "en")
	if err != nil {
		return err
	}
	defer connection.Close()
	answer, err := pb.NewRedemptionServiceClient(connection).RedeemTemporaryPin(context.Background(),
		&pb.RedeemTemporaryPinRequest{RequestId: world.UUID(), Person: visitor.Reference(), Pin: pin})
	if err != nil {
		return err
	}
	if answer.Outcome != pb.RedeemTemporaryPinResponse_OUTCOME_REDEEMED {
		return fmt.Errorf("the outcome is %v", answer.Outcome)
	}
	fmt.Println("redeemed")
	return nil
}
