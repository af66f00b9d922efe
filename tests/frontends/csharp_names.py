"""Checks that the C# examples use names that the generated code has. Nothing here can compile C# against gRPC.

    csharp_names.py GENERATED EXAMPLES

Every capitalised name in the examples must be declared there, be in the generated code, or belong to .NET or gRPC (NAMES).
"""

import pathlib
import re
import sys

# What the examples take from .NET, System.Text.Json, Grpc.Net.Client, Grpc.HealthCheck and Grpc.StatusProto.
NAMES = set("""
    Add AddSeconds ArgumentException AsArray AsyncUnaryCall AsyncUnaryCallContinuation BackoffMultiplier BaseAddress CheckAsync
    CertificateChainPolicy ClientCertificates ClientInterceptorContext Client Configuration Console Content Core CreateFromPem
    CreateFromPemFile Cryptography CultureInfo CustomRootTrust CustomTrustStore DateTime DateTimeOffset Descriptor Detail
    Dictionary Dispose EnabledSslProtocols EnsureSuccessStatusCode EnumTypes Environment Equals Exception File FirstOrDefault
    ForAddress FromSeconds Func GetDetail GetEnvironmentVariable GetRpcStatus GetStringAsync Globalization Google Grpc GrpcChannel
    GrpcChannelOptions Guid Headers Health HealthCheckRequest HealthCheckResponse HealthClient Host Http HttpClient HttpHandler
    HttpKeepAlivePingPolicy IDisposable IReadOnlyList InitialBackoff Intercept Interceptor Interceptors InvariantCulture Json
    JsonNode JsonObject KeepAlivePingDelay KeepAlivePingPolicy KeepAlivePingTimeout Lazy List Match MaxAttempts MaxBackoff
    MaxTokens Metadata Method MethodConfig MethodConfigs MethodName Name Names Net NewGuid NoCheck Nodes Options Parse Path
    Combine PostAsync ReadAllText ReadAsStringAsync Regex RegularExpressions RetryPolicy RetryThrottling RetryThrottlingPolicy
    RetryableStatusCodes RevocationMode Rpc RpcException Security Select Serving ServiceConfig ServingStatus Single
    SocketsHttpHandler SslOptions SslProtocols StatusCode StringContent System Task Text TimeSpan Tls13 ToDateTime ToDictionary
    ToJsonString ToList ToString ToTimeSpan TokenRatio TrustMode TryGetValue Unavailable Uri UtcNow V1 Value Values WithActiveRequests
    WithDeadline WithHeaders WriteLine X509Certificate2 X509CertificateCollection X509Certificates X509ChainPolicy X509ChainTrustMode
    X509RevocationMode Authentication Main Number Status TRequest TResponse
""".split())

DECLARED = re.compile(r"\b(?:class|Task|Task<[\w.<>]+>|bool|string|void|int|Document|PersonReference|JsonNode|TimeSpan\??|DateTimeOffset\?"
                      r"|StatusCode|IReadOnlyList<string>|HttpClient|using|ServiceConfig|\w+Client|>+) ([A-Z]\w*)")
IDENTIFIER = re.compile(r"\b[A-Z]\w*\b")


def without_texts(source):
    """The source without comments and string literals."""
    return re.sub(r'//[^\n]*|@?"(?:[^"\\\n]|\\.)*"', " ", source)


generated, examples = map(pathlib.Path, sys.argv[1:])
known = set(NAMES)
for file in generated.glob("*.cs"):
    known.update(IDENTIFIER.findall(without_texts(file.read_text())))
# grpc_csharp_plugin is not at hand: it makes NAMEClient with METHODAsync for each service NAME.
contract = "".join(file.read_text() for file in pathlib.Path("proto/temporarypin/v1").glob("*.proto"))
for service in re.findall(r"^service (\w+)", contract, re.M):
    known.update((service, f"{service}Client"))
known.update(f"{method}Async" for method in re.findall(r"^  rpc (\w+)", contract, re.M))

sources = {file: without_texts(file.read_text()) for file in sorted(examples.glob("*.cs"))}
declared = {name for source in sources.values() for name in DECLARED.findall(source)}
used = {name: file for file, source in sources.items() for name in IDENTIFIER.findall(source)}
unknown = {name: file for name, file in used.items() if name not in known | declared}
for name, file in unknown.items():
    print(f"{file}: {name} is in no generated code")
if unknown or len(used) < 100:
    sys.exit("the C# examples do not fit the contract")
print(f"The C# examples use {len(used)} names, and the generated code has those of the contract")
