// Package service connects a frontend to the temporary-PIN service, and reads its errors.
package service

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/metadata"
)

// Connect connects with the certificate of a caller, which decides the channel and the roles. Connect once per process: one
// connection carries many calls at the same time. The language is that of the texts for the person in refusals.
func Connect(caller, language string) (*grpc.ClientConn, error) {
	certificates := os.Getenv("SANDBOX_CERTIFICATES")
	ca, err := os.ReadFile(filepath.Join(certificates, "ca.pem"))
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(ca) {
		return nil, errors.New("ca.pem has no certificate")
	}
	own, err := tls.LoadX509KeyPair(filepath.Join(certificates, caller+".pem"), filepath.Join(certificates, caller+".key"))
	if err != nil {
		return nil, err
	}
	// The deadlines and the retries, in one file for every frontend.
	config, err := os.ReadFile("deploy/contract/service_config.json")
	if err != nil {
		return nil, err
	}
	return grpc.Dial(os.Getenv("SANDBOX_TLS"),
		grpc.WithTransportCredentials(credentials.NewTLS(&tls.Config{
			RootCAs: roots, Certificates: []tls.Certificate{own}, MinVersion: tls.VersionTLS13,
		})),
		grpc.WithDefaultServiceConfig(string(config)),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: time.Minute, Timeout: 20 * time.Second}),
		grpc.WithUnaryInterceptor(inLanguage(language)),
	)
}

// inLanguage adds the language to each call, and turns errors into *Refused.
func inLanguage(language string) grpc.UnaryClientInterceptor {
	return func(ctx context.Context, method string, request, reply interface{}, connection *grpc.ClientConn,
		invoke grpc.UnaryInvoker, options ...grpc.CallOption) error {
		ctx = metadata.AppendToOutgoingContext(ctx, "accept-language", language)
		return refused(invoke(ctx, method, request, reply, connection, options...))
	}
}

// CheckHealth is for the readiness of this process, not before each call.
func CheckHealth(ctx context.Context, connection *grpc.ClientConn) error {
	request := &grpc_health_v1.HealthCheckRequest{Service: "temporarypin.v1.TemporaryPinService"}
	answer, err := grpc_health_v1.NewHealthClient(connection).Check(ctx, request)
	if err == nil && answer.Status != grpc_health_v1.HealthCheckResponse_SERVING {
		err = fmt.Errorf("the service is %v", answer.Status)
	}
	return err
}
