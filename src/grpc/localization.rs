//! Adds `google.rpc.LocalizedMessage` to refusals: what to tell the person.
//!
//! The language is the one in the request's `language` field. If that is not set, it is the preferred language of the
//! metadata `accept-language` for which there are texts. If neither names one, no text is added.

use std::sync::{Arc, OnceLock};

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::HeaderMap;
use http::header::ACCEPT_LANGUAGE;
use tonic::Status;

use super::service_context::ServiceContext;
use super::{convert, status};
use crate::domain::language::Language;

/// The language in the request's message. The service sets it once it has the message, the middleware reads it.
#[derive(Clone, Default)]
struct RequestLanguage(Arc<OnceLock<Language>>);

/// Notes the language of a request's message, a `temporarypin.v1.Language`.
pub(super) fn note_language<T>(request: &tonic::Request<T>, language: i32) {
    if let (Some(RequestLanguage(noted)), Some(language)) =
        (request.extensions().get(), convert::parse_language(language).flatten())
    {
        // A message has one language, so this is set once.
        let _ = noted.set(language);
    }
}

/// Middleware: adds the text to refusals.
pub(super) async fn localize_refusal(
    State(context): State<Arc<ServiceContext>>,
    mut request: Request,
    next: Next,
) -> Response {
    let (accepted, requested) = (accepted_language(request.headers()), RequestLanguage::default());
    request.extensions_mut().insert(requested.clone());
    let response = next.run(request).await;
    let Some(language) = requested.0.get().copied().or(accepted) else { return response };
    let refusal = Status::from_header_map(response.headers());
    match refusal.and_then(|refusal| status::localize(&refusal, &context.dependencies.texts, language)) {
        Some(localized) => localized.into_http(),
        None => response,
    }
}

/// The language with the highest weight in `accept-language` (RFC 9110, section 12.5.4) among those for which there are
/// texts. The region is ignored: `da-DK` is Danish.
fn accepted_language(headers: &HeaderMap) -> Option<Language> {
    let mut best: Option<(f32, Language)> = None;
    let values = headers.get_all(ACCEPT_LANGUAGE).iter().filter_map(|value| value.to_str().ok());
    for range in values.flat_map(|value| value.split(',')) {
        let (tag, parameters) = range.split_once(';').unwrap_or((range, "q=1"));
        let primary = tag.split('-').next().unwrap_or_default().trim().to_ascii_lowercase();
        let weight = parameters.trim().strip_prefix("q=").and_then(|weight| weight.trim().parse::<f32>().ok());
        let (Some(language), Some(weight)) = (Language::from_code(&primary), weight) else { continue };
        if weight > best.map_or(0.0, |(weight, _)| weight) {
            best = Some((weight, language));
        }
    }
    best.map(|(_, language)| language)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(&["da"], Some(Language::Da))]
    #[case(&["EN"], Some(Language::En))]
    #[case(&["kl-GL"], Some(Language::Kl))]
    #[case(&["da-DK,da;q=0.9,en;q=0.8"], Some(Language::Da))]
    #[case(&["en;q=0.5, da;q=0.9"], Some(Language::Da))]
    #[case(&["en;q=0.5, da ; q=0.5"], Some(Language::En))]
    #[case::unknown_languages_are_skipped(&["de-DE, sv;q=0.9, en-GB;q=0.1"], Some(Language::En))]
    #[case::weight_zero_excludes(&["da;q=0, en;q=0.001"], Some(Language::En))]
    #[case::several_headers(&["de", "kl"], Some(Language::Kl))]
    #[case(&["*"], None)]
    #[case(&["de"], None)]
    #[case(&["da;q=much"], None)]
    #[case(&["dansk"], None)]
    #[case(&[";,;q=,-"], None)]
    #[case(&[""], None)]
    #[case(&[], None)]
    fn the_language_with_the_highest_weight_is_chosen(#[case] values: &[&str], #[case] expected: Option<Language>) {
        let headers: HeaderMap = values.iter().map(|value| (ACCEPT_LANGUAGE, value.parse().unwrap())).collect();
        assert_eq!(accepted_language(&headers), expected);
    }
}
