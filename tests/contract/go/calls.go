package main

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	rpb "google.golang.org/grpc/reflection/grpc_reflection_v1alpha"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"
)

const (
	defaultPackage = "temporarypin.v1"
	callTimeout    = 30 * time.Second
)

// Service is the service under test, with its contract.
type Service struct {
	connection *grpc.ClientConn
	contract   *protoregistry.Files
}

func connect(address, protoset string) *Service {
	encoded, err := os.ReadFile(protoset)
	check(err)
	var files descriptorpb.FileDescriptorSet
	check(proto.Unmarshal(encoded, &files))
	contract, err := protodesc.NewFiles(&files)
	check(err)
	connection, err := grpc.Dial(address, grpc.WithInsecure())
	check(err)
	return &Service{connection, contract}
}

// method is nil for a method that the contract does not have.
func (s *Service) method(service, name string) protoreflect.MethodDescriptor {
	descriptor, err := s.contract.FindDescriptorByName(protoreflect.FullName(service))
	if err != nil {
		return nil
	}
	return descriptor.(protoreflect.ServiceDescriptor).Methods().ByName(protoreflect.Name(name))
}

// rawCodec sends and receives encoded messages, because some cases send what no message encodes to.
type rawCodec struct{}

func (rawCodec) Marshal(message interface{}) ([]byte, error) { return message.([]byte), nil }
func (rawCodec) Unmarshal(encoded []byte, message interface{}) error {
	*message.(*[]byte) = append([]byte{}, encoded...)
	return nil
}
func (rawCodec) Name() string { return "proto" }

// call makes a call and compares its answer or its error.
func (p *Play) call(step Step) error {
	resolved, err := p.variables.resolve(step)
	if err != nil {
		return err
	}
	call := resolved.(map[string]interface{})
	name := call["call"].(string)
	service, method := name[:strings.Index(name, "/")], name[strings.Index(name, "/")+1:]
	if !strings.Contains(service, ".") {
		service = defaultPackage + "." + service
	}
	descriptor := p.service.method(service, method)
	body, err := encodeBody(descriptor, call)
	if err != nil {
		return err
	}

	matcher, answer, failure, err := p.send("/"+service+"/"+method, call, body)
	if err != nil {
		return err
	}
	expect := call["expect"].(map[string]interface{})
	if expected, ok := expect["error"]; ok {
		if failure == nil {
			return fmt.Errorf("expected the error %v, but it was answered", expected)
		}
		return matcher.matchError(expected.(map[string]interface{}), failure)
	}
	if failure != nil {
		return fmt.Errorf("expected an answer, but it is the error %v %s", failure.Code(), failure.Message())
	}
	decoded, err := decodeAnswer(descriptor, answer)
	if err != nil {
		return err
	}
	if as, ok := call["as"].(string); ok {
		p.variables[as] = decoded
	}
	return matcher.match("answer", expect["answer"], decoded)
}

// send notes the sandbox's time before and after the call.
func (p *Play) send(path string, call map[string]interface{}, body []byte) (Matcher, []byte, *status.Status, error) {
	timeout := callTimeout
	if milliseconds, ok := call["deadline_ms"].(float64); ok {
		timeout = time.Duration(milliseconds) * time.Millisecond
	}
	before, err := p.world.now()
	if err != nil {
		return Matcher{}, nil, nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	if caller, ok := call["caller"].(string); ok {
		ctx = metadata.AppendToOutgoingContext(ctx, "x-sandbox-caller", caller)
	}
	entries, _ := call["metadata"].(map[string]interface{})
	for key, value := range entries {
		ctx = metadata.AppendToOutgoingContext(ctx, key, value.(string))
	}
	var answer []byte
	called := p.service.connection.Invoke(ctx, path, body, &answer, grpc.ForceCodec(rawCodec{}))
	after, err := p.world.now()
	matcher := Matcher{before, after}
	if called != nil {
		return matcher, nil, status.Convert(called), err
	}
	return matcher, answer, nil, err
}

func encodeBody(method protoreflect.MethodDescriptor, call map[string]interface{}) ([]byte, error) {
	if body, ok := call["body_hex"].(string); ok {
		return hex.DecodeString(body)
	}
	if method == nil {
		return nil, fmt.Errorf("the contract has no such method")
	}
	request := call["request"]
	if request == nil {
		request = map[string]interface{}{}
	}
	text, err := json.Marshal(request)
	if err != nil {
		return nil, err
	}
	message := dynamicpb.NewMessage(method.Input())
	if err := protojson.Unmarshal(text, message); err != nil {
		return nil, err
	}
	body, err := proto.Marshal(message)
	if err != nil {
		return nil, err
	}
	more, _ := call["append_hex"].(string)
	appended, err := hex.DecodeString(more)
	return append(body, appended...), err
}

// decodeAnswer returns JSON with default values. Fields with presence that are not set are left out.
func decodeAnswer(method protoreflect.MethodDescriptor, answer []byte) (Value, error) {
	message := dynamicpb.NewMessage(method.Output())
	if err := proto.Unmarshal(answer, message); err != nil {
		return nil, err
	}
	text, err := protojson.MarshalOptions{UseProtoNames: true, EmitUnpopulated: true}.Marshal(message)
	if err != nil {
		return nil, err
	}
	var decoded Value
	err = json.Unmarshal(text, &decoded)
	return withoutNulls(decoded), err
}

func withoutNulls(value Value) Value {
	switch value := value.(type) {
	case map[string]interface{}:
		for key, field := range value {
			if field == nil {
				delete(value, key)
			} else {
				value[key] = withoutNulls(field)
			}
		}
	case []interface{}:
		for i, item := range value {
			value[i] = withoutNulls(item)
		}
	}
	return value
}

// listServices asks reflection.
func (s *Service) listServices() (map[string]bool, error) {
	ctx, cancel := context.WithTimeout(context.Background(), callTimeout)
	defer cancel()
	stream, err := rpb.NewServerReflectionClient(s.connection).ServerReflectionInfo(ctx)
	if err != nil {
		return nil, err
	}
	request := &rpb.ServerReflectionRequest{MessageRequest: &rpb.ServerReflectionRequest_ListServices{}}
	if err := stream.Send(request); err != nil {
		return nil, err
	}
	answer, err := stream.Recv()
	if err != nil {
		return nil, err
	}
	listed := map[string]bool{}
	for _, service := range answer.GetListServicesResponse().GetService() {
		listed[service.Name] = true
	}
	if len(listed) == 0 {
		log.Println("reflection answers", answer)
	}
	return listed, stream.CloseSend()
}
