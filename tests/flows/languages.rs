//! `LocalizedMessage`: the text for a person who is refused, in the requested language.

use rstest::rstest;
use temporary_pin::proto::temporarypin::v1::{
    CheckEligibilityRequest, IssueTemporaryPinRequest, Language, RedeemTemporaryPinRequest, VerifyIdentityRequest,
};
use test_support::calls::{request_from, time, uuid};
use test_support::world::World;
use tonic::metadata::AsciiMetadataValue;
use tonic::{Request, Status};
use tonic_types::{LocalizedMessage, StatusExt as _};

const WEB: &str = "web";

/// A request with this `accept-language`, or without one.
fn request_accepting<T>(caller: &str, message: T, accepted: Option<&str>) -> Request<T> {
    let mut request = request_from(caller, message);
    request.metadata_mut().remove("accept-language");
    if let Some(accepted) = accepted {
        request.metadata_mut().insert("accept-language", accepted.parse::<AsciiMetadataValue>().unwrap());
    }
    request
}

fn text(refusal: &Status) -> Option<LocalizedMessage> {
    refusal.get_details_localized_message()
}

/// The locale of the text of a refused order.
async fn locale(world: &World, language: Language, accepted: Option<&str>) -> Option<String> {
    let order = IssueTemporaryPinRequest { language: language.into(), ..IssueTemporaryPinRequest::default() };
    let answer = world.temporary_pin_service().issue_temporary_pin(request_accepting(WEB, order, accepted)).await;
    text(&answer.unwrap_err()).map(|text| text.locale)
}

#[tokio::test]
async fn the_text_is_in_the_requested_language() {
    let world = World::start().await;
    for (language, accepted, expected) in [
        (Language::Unspecified, None, None),
        (Language::Unspecified, Some("de"), None),
        (Language::Unspecified, Some("da-DK,da;q=0.9,en;q=0.8"), Some("da")),
        (Language::Unspecified, Some("sv, en-GB;q=0.7"), Some("en")),
        // There are no Greenlandic texts yet. The locale says that the text is in another language.
        (Language::Unspecified, Some("kl-GL"), Some("da")),
        (Language::Kl, None, Some("da")),
        // The language field of the request has priority.
        (Language::En, None, Some("en")),
        (Language::En, Some("da"), Some("en")),
        (Language::Da, Some("en"), Some("da")),
    ] {
        let actual = locale(&world, language, accepted).await;
        assert_eq!(actual.as_deref(), expected, "{language:?} {accepted:?}");
    }
}

/// The refusals come from the conversion, from a use case and from middleware.
#[tokio::test]
async fn every_rpc_adds_the_text() {
    let world = World::start().await;
    let (channels, redemption) = (world.temporary_pin_service(), world.redemption_service());
    let verify = VerifyIdentityRequest { evidence: None, language: Language::Da.into() };
    let check = CheckEligibilityRequest::default();
    let redeem = RedeemTemporaryPinRequest::default();
    for refusal in [
        channels.clone().verify_identity(request_accepting(WEB, verify, None)).await.unwrap_err(),
        channels.clone().check_eligibility(request_accepting(WEB, check.clone(), Some("da"))).await.unwrap_err(),
        channels.clone().check_eligibility(request_accepting("unknown-caller", check, Some("da"))).await.unwrap_err(),
        redemption.clone().redeem_temporary_pin(request_accepting("redeemer", redeem, Some("da"))).await.unwrap_err(),
    ] {
        let text = text(&refusal).unwrap();
        assert_eq!(text.locale, "da", "{refusal:?}");
        assert!(text.message.ends_with('.'), "{text:?}");
    }
}

/// The text has the time that the details of the error have.
#[rstest]
#[case(Language::Da, "Kom tilbage", "%-d.%-m.%Y kl. %H.%M dansk tid.")]
#[case(Language::En, "Come back", "%-d %b %Y at %H:%M Danish time.")]
#[tokio::test]
async fn the_text_contains_the_time_of_the_next_attempt(
    #[case] language: Language,
    #[case] words: &str,
    #[case] time_format: &str,
) {
    let world = World::start().await;
    let login = world.log_in(&world.new_person().await).await;
    let order = IssueTemporaryPinRequest {
        request_id: uuid().to_string(),
        verification_id: login.verification_id,
        language: language.into(),
    };
    let refusal = world.temporary_pin_service().issue_temporary_pin(request_from(WEB, order)).await.unwrap_err();

    let message = text(&refusal).unwrap().message;
    let until = time(login.access_hold.unwrap().eligible_time).with_timezone(&chrono_tz::Europe::Copenhagen);
    assert!(message.contains(words) && message.ends_with(&until.format(time_format).to_string()), "{message}");
}
