// Package world calls the sandbox's made-up world, which replaces logins, agents, registers and phones. A frontend has nothing of
// this.
package world

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"os"

	pb "temporarypin/v1"
)

// Person is a person of the made-up register.
type Person struct {
	ID           string              `json:"id"`
	CprNumber    string              `json:"cpr_number"`
	MobileNumber string              `json:"mobile_number"`
	Facts        map[string][]string `json:"facts"`
	Documents    []struct {
		Kind, Issuer, Number string
		MrzLines             []string `json:"mrz_lines"`
	} `json:"documents"`
}

// Reference names the person to the service.
func (p *Person) Reference() *pb.PersonReference {
	return &pb.PersonReference{Reference: &pb.PersonReference_CprNumber{CprNumber: p.CprNumber}}
}

// Passport is the person's first document.
func (p *Person) Passport() *pb.Document {
	passport := p.Documents[0]
	return &pb.Document{
		Kind: pb.Document_Kind(pb.Document_Kind_value[passport.Kind]), Issuer: passport.Issuer, Number: passport.Number,
	}
}

// LastSMS waits until the person's phone has that many SMS, and returns the text of the last one.
func (p *Person) LastSMS(count int) string {
	var messages []struct{ Text string }
	call(fmt.Sprintf("/phones/%s/messages?expect=%d", p.MobileNumber, count), nil, &messages)
	if len(messages) != count {
		log.Fatalf("%d SMS", len(messages))
	}
	return messages[count-1].Text
}

// ClaimPerson returns a person whom no other test has.
func ClaimPerson() *Person {
	var person Person
	call("/people/claim", map[string]string{}, &person)
	return &person
}

// AgentToken logs a support agent or clerk in.
func AgentToken(agent string) string {
	var answer struct {
		Token string `json:"agent_token"`
	}
	call("/agent-login", map[string]string{"agent": agent}, &answer)
	return answer.Token
}

// LogIn logs the person in with MitID, and returns the ID token.
func LogIn(person *Person, nonce string) string {
	var answer struct {
		Token string `json:"id_token"`
	}
	call("/login", map[string]string{"person": person.ID, "nonce": nonce}, &answer)
	return answer.Token
}

// Advance moves the sandbox's clock.
func Advance(seconds int) {
	call("/clock/advance", map[string]int{"seconds": seconds}, new(interface{}))
}

// UUID is a random one.
func UUID() string {
	var b [16]byte
	if _, err := rand.Read(b[:]); err != nil {
		log.Fatal(err)
	}
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

func call(path string, body, answer interface{}) {
	url, method := os.Getenv("SANDBOX_HTTP")+path, http.MethodGet
	var encoded bytes.Buffer
	if body != nil {
		method = http.MethodPost
		if err := json.NewEncoder(&encoded).Encode(body); err != nil {
			log.Fatal(err)
		}
	}
	request, err := http.NewRequest(method, url, &encoded)
	if err != nil {
		log.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		log.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		log.Fatalf("%s: %s", path, response.Status)
	}
	if err := json.NewDecoder(response.Body).Decode(answer); err != nil {
		log.Fatal(err)
	}
}
