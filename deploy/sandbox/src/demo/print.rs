//! The demo's output on the terminal.

use std::io::{IsTerminal as _, stdout};

use serde_json::Value;

/// The width of the story's text, in characters.
const WIDTH: usize = 100;

/// The width of an SMS, in characters.
const SMS_WIDTH: usize = 60;

/// How many characters of a shortened string are printed.
const SHORTENED_LENGTH: usize = 16;

/// A string with more characters is shortened, unless it has spaces.
const MAX_STRING_LENGTH: usize = 80;

const BOLD: &str = "1";
const GREEN: &str = "32";
const CYAN: &str = "36";
const YELLOW: &str = "33";

/// Prints the title of a story.
pub(super) fn title(text: &str) {
    println!("\n{}", styled(BOLD, &format!("=== {text}")));
}

/// Prints a paragraph that tells what happens next, and why.
pub(super) fn tell(text: &str) {
    println!();
    for line in wrapped(text, WIDTH) {
        println!("{line}");
    }
}

/// Prints a command as a person would type it.
pub(super) fn command(text: &str) {
    println!("\n{}", styled(CYAN, &format!("$ {}", cut_short(text))));
}

/// Prints the output of a command.
pub(super) fn output(text: &str) {
    println!("{}", cut_short(text));
}

/// Prints an SMS that a phone received.
pub(super) fn sms(number: &str, sender: &str, text: &str) {
    println!("\n{}", styled(YELLOW, &format!("  ┌─ SMS to {number} from {sender}")));
    for line in wrapped(text, SMS_WIDTH) {
        println!("{} {}", styled(YELLOW, "  │"), styled(GREEN, &line));
    }
    println!("{}", styled(YELLOW, "  └─"));
}

/// Quotes JSON as an argument for the shell: on one line if it is short, otherwise as `pretty`, the same JSON on several
/// lines. `command` shortens long strings.
pub(super) fn argument(json: &Value, pretty: &str) -> String {
    let compact = json.to_string();
    let text = if compact.len() <= MAX_STRING_LENGTH { &compact } else { pretty };
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// Shortens every long string without spaces in a JSON text. Expects strings without escaped quotation marks, because it
/// splits the text at quotation marks.
fn cut_short(json: &str) -> String {
    let shorten = |part: &str| match part.char_indices().nth(MAX_STRING_LENGTH) {
        Some(_) if !part.contains(['\n', ' ']) => part.chars().take(SHORTENED_LENGTH).chain(['…']).collect(),
        _ => part.to_owned(),
    };
    json.split('"').map(shorten).collect::<Vec<_>>().join("\"")
}

fn styled(style: &str, text: &str) -> String {
    if stdout().is_terminal() { format!("\x1b[{style}m{text}\x1b[0m") } else { text.to_owned() }
}

fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let line = lines.last_mut().expect("there is always a line");
        if line.is_empty() {
            line.push_str(word);
        } else if line.chars().count() + 1 + word.chars().count() <= width {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_long_tokens_are_cut() {
        let token = "x".repeat(MAX_STRING_LENGTH + 1);
        assert_eq!(cut_short(&format!(r#"{{"id_token":"{token}"}}"#)), r#"{"id_token":"xxxxxxxxxxxxxxxx…"}"#);
        let sentence = "A long sentence is no token and stays. ".repeat(4);
        assert_eq!(cut_short(&format!(r#"{{"message":"{sentence}"}}"#)), format!(r#"{{"message":"{sentence}"}}"#));
    }

    #[test]
    fn an_argument_is_quoted_for_the_shell() {
        assert_eq!(argument(&json!({"text": "d'Angleterre"}), ""), r#"'{"text":"d'\''Angleterre"}'"#);
    }

    #[test]
    fn lines_are_wrapped_between_words() {
        assert_eq!(wrapped("one two three", 7), ["one two", "three"]);
    }
}
