using System.Net.Http;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Grpc.Core;
using Grpc.Core.Interceptors;
using Grpc.Health.V1;
using Grpc.Net.Client;
using Grpc.Net.Client.Configuration;
using TemporaryPin.V1;

/// <summary>The connection to the service. Make one for the life of the process: it carries many calls at once.</summary>
sealed class Service : IDisposable
{
    static readonly TimeSpan Deadline = TimeSpan.FromSeconds(8);
    readonly GrpcChannel connection;

    public TemporaryPinService.TemporaryPinServiceClient TemporaryPin { get; }
    public RedemptionService.RedemptionServiceClient Redemption { get; }

    /// <summary>
    /// Connects with the certificate of a caller, which decides the channel and the roles. The language is that of the texts
    /// for the person in refusals.
    /// </summary>
    public Service(string caller, string language)
    {
        Func<string, string> file = name => Path.Combine(Environment.GetEnvironmentVariable("SANDBOX_CERTIFICATES"), name);
        var authority = X509Certificate2.CreateFromPem(File.ReadAllText(file("ca.pem")));
        var handler = new SocketsHttpHandler
        {
            KeepAlivePingDelay = TimeSpan.FromSeconds(60),
            KeepAlivePingTimeout = TimeSpan.FromSeconds(20),
            KeepAlivePingPolicy = HttpKeepAlivePingPolicy.WithActiveRequests,
        };
        handler.SslOptions.EnabledSslProtocols = SslProtocols.Tls13;
        handler.SslOptions.ClientCertificates = new X509CertificateCollection
        {
            X509Certificate2.CreateFromPemFile(file(caller + ".pem"), file(caller + ".key")),
        };
        // Trusts this authority alone. In production the machine's own trust may be right: then leave this out.
        handler.SslOptions.CertificateChainPolicy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck,
        };
        handler.SslOptions.CertificateChainPolicy.CustomTrustStore.Add(authority);

        connection = GrpcChannel.ForAddress("https://" + Environment.GetEnvironmentVariable("SANDBOX_TLS"), new GrpcChannelOptions
        {
            HttpHandler = handler,
            ServiceConfig = Retries(),
        });
        var invoker = connection.Intercept(new EachCall(language));
        TemporaryPin = new TemporaryPinService.TemporaryPinServiceClient(invoker);
        Redemption = new RedemptionService.RedemptionServiceClient(invoker);
    }

    /// <summary>What deploy/contract/service_config.json says: .NET does not read that file.</summary>
    static ServiceConfig Retries()
    {
        var retry = new RetryPolicy
        {
            MaxAttempts = 5,
            InitialBackoff = TimeSpan.FromSeconds(0.25),
            MaxBackoff = TimeSpan.FromSeconds(2),
            BackoffMultiplier = 2,
        };
        retry.RetryableStatusCodes.Add(StatusCode.Unavailable);
        // VerifyIdentity is not among them: it has no request_id.
        var repeatable = new MethodConfig { RetryPolicy = retry };
        repeatable.Names.Add(new MethodName { Service = "temporarypin.v1.TemporaryPinService", Method = "CheckEligibility" });
        repeatable.Names.Add(new MethodName { Service = "temporarypin.v1.TemporaryPinService", Method = "IssueTemporaryPin" });
        repeatable.Names.Add(new MethodName { Service = "temporarypin.v1.RedemptionService", Method = "RedeemTemporaryPin" });
        var config = new ServiceConfig { RetryThrottling = new RetryThrottlingPolicy { MaxTokens = 10, TokenRatio = 0.1 } };
        config.MethodConfigs.Add(repeatable);
        return config;
    }

    /// <summary>Adds the deadline and the language to each call.</summary>
    sealed class EachCall : Interceptor
    {
        readonly string language;

        public EachCall(string language) => this.language = language;

        public override AsyncUnaryCall<TResponse> AsyncUnaryCall<TRequest, TResponse>(
            TRequest request, ClientInterceptorContext<TRequest, TResponse> context,
            AsyncUnaryCallContinuation<TRequest, TResponse> continuation)
        {
            var headers = context.Options.Headers ?? new Metadata();
            headers.Add("accept-language", language);
            var options = context.Options.WithHeaders(headers);
            options = options.WithDeadline(options.Deadline ?? DateTime.UtcNow + Deadline);
            return continuation(request, new ClientInterceptorContext<TRequest, TResponse>(context.Method, context.Host, options));
        }
    }

    /// <summary>Calls a method. Throws <see cref="Refused"/>.</summary>
    public static async Task<TResponse> Call<TResponse>(AsyncUnaryCall<TResponse> call)
    {
        try
        {
            return await call;
        }
        catch (RpcException error)
        {
            throw new Refused(error);
        }
    }

    /// <summary>For the readiness of this process, not before each call.</summary>
    public async Task<bool> IsServing()
    {
        var request = new HealthCheckRequest { Service = "temporarypin.v1.TemporaryPinService" };
        var answer = await new Health.HealthClient(connection).CheckAsync(request, deadline: DateTime.UtcNow.AddSeconds(2));
        return answer.Status == HealthCheckResponse.Types.ServingStatus.Serving;
    }

    public void Dispose() => connection.Dispose();
}
