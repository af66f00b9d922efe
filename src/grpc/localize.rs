//! `google.rpc.LocalizedMessage`: what to tell the person who is refused, in the language that was asked for.
//!
//! That is the language which the request itself names, else the first one of the metadata `accept-language` that there
//! are texts in. When neither names one, no text is added.

use std::sync::{Arc, OnceLock};

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::HeaderMap;
use http::header::ACCEPT_LANGUAGE;
use tonic::Status;

use super::{Context, convert, status};
use crate::domain::language::Language;

/// The language that the request itself names, which is known once its message has been read.
#[derive(Clone, Default)]
struct Named(Arc<OnceLock<Language>>);

/// Notes the language that a request names, a `temporarypin.v1.Language`.
pub(super) fn prefer<T>(request: &tonic::Request<T>, language: i32) {
    if let (Some(Named(named)), Some(language)) = (request.extensions().get(), convert::language(language).flatten()) {
        // Each request names one.
        let _ = named.set(language);
    }
}

/// Middleware: adds the text to refusals.
pub(super) async fn localize(State(context): State<Arc<Context>>, mut request: Request, next: Next) -> Response {
    let (accepted, named) = (accepted(request.headers()), Named::default());
    request.extensions_mut().insert(named.clone());
    let response = next.run(request).await;
    let Some(language) = named.0.get().copied().or(accepted) else { return response };
    let refusal = Status::from_header_map(response.headers());
    match refusal.and_then(|refusal| status::localized(&refusal, &context.issuance.texts, language)) {
        Some(localized) => localized.into_http(),
        None => response,
    }
}

/// The language of `accept-language` (RFC 9110, section 12.5.4) that is liked best, of those there are texts in. Regions
/// count for nothing: `da-DK` is Danish.
fn accepted(headers: &HeaderMap) -> Option<Language> {
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
    #[case::others_are_passed_over(&["de-DE, sv;q=0.9, en-GB;q=0.1"], Some(Language::En))]
    #[case::not_wanted(&["da;q=0, en;q=0.001"], Some(Language::En))]
    #[case::several_headers(&["de", "kl"], Some(Language::Kl))]
    #[case(&["*"], None)]
    #[case(&["de"], None)]
    #[case(&["da;q=much"], None)]
    #[case(&["dansk"], None)]
    #[case(&[";,;q=,-"], None)]
    #[case(&[""], None)]
    #[case(&[], None)]
    fn the_language_liked_best_is_chosen(#[case] values: &[&str], #[case] expected: Option<Language>) {
        let headers: HeaderMap = values.iter().map(|value| (ACCEPT_LANGUAGE, value.parse().unwrap())).collect();
        assert_eq!(accepted(&headers), expected);
    }
}
