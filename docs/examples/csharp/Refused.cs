using Google.Rpc;
using Grpc.Core;

/// <summary>A call failed. Never contains the request, which must not be logged.</summary>
sealed class Refused : Exception
{
    public StatusCode Code { get; }
    /// <summary>Null if the error comes from the client itself or from a proxy: then go by the code.</summary>
    public string Reason { get; }
    /// <summary>When to try again. Null if waiting does not help.</summary>
    public DateTimeOffset? NextAttemptTime { get; }
    /// <summary>How long to wait before the next call.</summary>
    public TimeSpan? RetryDelay { get; }
    /// <summary>The text to show or read out to the person.</summary>
    public string TextForPerson { get; }
    /// <summary>The malformed fields.</summary>
    public IReadOnlyList<string> Fields { get; }

    public Refused(RpcException error) : base(error.StatusCode + " " + error.Status.Detail)
    {
        Code = error.StatusCode;
        var status = error.GetRpcStatus(); // null without the trailer grpc-status-details-bin
        var info = status?.GetDetail<ErrorInfo>();
        Reason = info?.Reason;
        if (info != null && info.Metadata.TryGetValue("nextAttemptTime", out var time))
        {
            NextAttemptTime = DateTimeOffset.Parse(time, System.Globalization.CultureInfo.InvariantCulture);
        }
        RetryDelay = status?.GetDetail<RetryInfo>()?.RetryDelay?.ToTimeSpan();
        TextForPerson = status?.GetDetail<LocalizedMessage>()?.Message ?? "Please try again later.";
        Fields = status?.GetDetail<BadRequest>()?.FieldViolations.Select(violation => violation.Field).ToList()
            ?? new List<string>();
    }
}
