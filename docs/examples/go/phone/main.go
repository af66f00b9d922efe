// MitID Support: takes a document number, asks questions from the CPR register, and orders a PIN.
package main

import (
	"context"
	"fmt"
	"log"

	"frontend/service"
	"frontend/world"

	pb "temporarypin/v1"
)

func main() {
	connection, err := service.Connect("phone", "en")
	if err != nil {
		log.Fatal(err)
	}
	defer connection.Close()
	if err := helpOnePerson(pb.NewTemporaryPinServiceClient(connection)); err != nil {
		log.Fatal(err)
	}
}

func helpOnePerson(client pb.TemporaryPinServiceClient) error {
	ctx, person, agentToken := context.Background(), world.ClaimPerson(), world.AgentToken("agent-1")

	// Check eligibility before the person reads out a document.
	eligibility, err := client.CheckEligibility(ctx, &pb.CheckEligibilityRequest{Person: person.Reference()})
	if err != nil {
		return err
	}
	for _, channel := range eligibility.Channels {
		fmt.Println(channel.Channel, channel.Status)
	}

	answer, err := client.VerifyIdentity(ctx, &pb.VerifyIdentityRequest{
		Evidence: &pb.VerifyIdentityRequest_PhoneIdentification{PhoneIdentification: &pb.PhoneIdentification{
			Person:        person.Reference(),
			Document:      person.Passport(),
			AgentToken:    agentToken,
			CaseReference: "CASE-2041",
		}},
	})
	// Two right answers of three pass. After two wrong ones the service asks one more. It never says which was wrong.
	for err == nil && answer.State == pb.VerifyIdentityResponse_STATE_QUESTIONS_PENDING {
		answers := &pb.QuestionAnswers{VerificationId: answer.VerificationId, AgentToken: agentToken}
		for _, question := range answer.Questions {
			fmt.Println("ask:", question.Prompt)
			truth := person.Facts[question.Kind.String()][0]
			answers.Answers = append(answers.Answers, &pb.Answer{QuestionId: question.QuestionId, Text: truth})
		}
		answer, err = client.VerifyIdentity(ctx, &pb.VerifyIdentityRequest{
			Evidence: &pb.VerifyIdentityRequest_QuestionAnswers{QuestionAnswers: answers},
		})
	}
	if err != nil {
		return err
	}
	if answer.State != pb.VerifyIdentityResponse_STATE_VERIFIED {
		return fmt.Errorf("not verified: %v", answer.Reasons)
	}

	issued, err := client.IssueTemporaryPin(ctx, &pb.IssueTemporaryPinRequest{
		RequestId: world.UUID(), VerificationId: answer.VerificationId,
	})
	if err != nil {
		return err
	}
	fmt.Println("sent to", issued.PinRequest.MaskedMobileNumber)
	person.LastSMS(1)
	return nil
}
