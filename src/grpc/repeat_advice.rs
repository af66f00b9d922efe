//! What a status tells a caller whose call has an unknown outcome: how to repeat it. That depends on the method.
//!
//! The advice is task-local, like the deadline, so that a status can be made wherever the failure is noticed.

use std::future::Future;

tokio::task_local! {
    static ADVICE: &'static str;
}

const SAME_REQUEST_ID: &str = "a repeat with the same request_id does nothing twice and tells the outcome";
const CHANGES_NOTHING: &str = "the call changes nothing: repeat it";
const VERIFY_AGAIN: &str = "begin the verification again, on the web with a new login";
const SAYS_WHAT_IS_LEFT: &str = "a repeat says what there is left to do";

/// Handles a call. Statuses that are made during the call have this advice.
pub(super) async fn with_advice<T>(advice: &'static str, call: impl Future<Output = T>) -> T {
    ADVICE.scope(advice, call).await
}

/// How to repeat the call that is being handled.
pub(super) fn current() -> &'static str {
    ADVICE.try_with(|advice| *advice).unwrap_or(SAYS_WHAT_IS_LEFT)
}

/// The advice for a path, `/package.Service/Method`. The other methods are acts without a request_id, such as BlockPerson.
pub(super) fn advice_for(path: &str) -> &'static str {
    match path.rsplit('/').next().unwrap_or_default() {
        "IssueTemporaryPin" | "RedeemTemporaryPin" => SAME_REQUEST_ID,
        "VerifyIdentity" => VERIFY_AGAIN,
        method if ["Check", "Get", "List"].iter().any(|look_up| method.starts_with(look_up)) => CHANGES_NOTHING,
        _ => SAYS_WHAT_IS_LEFT,
    }
}

#[cfg(test)]
mod tests {
    use prost::Message as _;
    use prost_types::FileDescriptorSet;
    use rstest::rstest;

    use super::super::status;
    use super::*;
    use crate::proto::DESCRIPTOR_SET;

    #[test]
    fn a_request_id_is_advised_for_exactly_the_methods_whose_requests_have_one() {
        let contract = FileDescriptorSet::decode(DESCRIPTOR_SET).unwrap();
        let ours = || contract.file.iter().filter(|file| file.package() == "temporarypin.v1");
        let has_request_id = |input_type: &str| {
            let name = input_type.strip_prefix(".temporarypin.v1.").unwrap();
            let message = ours().flat_map(|file| &file.message_type).find(|message| message.name() == name).unwrap();
            message.field.iter().any(|field| field.name() == "request_id")
        };
        let methods: Vec<_> = ours().flat_map(|file| &file.service).flat_map(|service| &service.method).collect();
        assert!(methods.len() > 10);
        for method in methods {
            let advice = advice_for(&format!("/temporarypin.v1.Service/{}", method.name()));
            assert_eq!(advice == SAME_REQUEST_ID, has_request_id(method.input_type()), "{}", method.name());
        }
    }

    #[rstest]
    #[case("/temporarypin.v1.TemporaryPinService/CheckEligibility", CHANGES_NOTHING)]
    #[case("/temporarypin.v1.TemporaryPinService/VerifyIdentity", VERIFY_AGAIN)]
    #[case("/temporarypin.v1.TemporaryPinService/IssueTemporaryPin", SAME_REQUEST_ID)]
    #[case("/temporarypin.v1.OperatorService/ListLimits", CHANGES_NOTHING)]
    #[case("/temporarypin.v1.OperatorService/BlockPerson", SAYS_WHAT_IS_LEFT)]
    #[tokio::test]
    async fn the_status_of_a_call_advises_on_its_method(#[case] path: &str, #[case] advice: &str) {
        let status = with_advice(advice_for(path), async { status::deadline_exceeded() }).await;
        assert!(status.message().ends_with(advice), "{}", status.message());
    }
}
