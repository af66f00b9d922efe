//! An HTML page: the newest SMS of all phones, and the first people.

use std::fmt::Write as _;

use chrono::{DateTime, Utc};
use chrono_tz::Europe::Copenhagen;
use made_up_world::gateway::Message;
use made_up_world::people::People;

/// How many people the page lists: enough for the whole cast and a few generated persons.
const MAX_PEOPLE_SHOWN: usize = 100;

const HEAD: &str = "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
    <meta http-equiv=\"refresh\" content=\"2\">\n<title>Sandbox phones</title>\n\
    <style>\n\
    body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }\n\
    li { list-style: none; border: 1px solid #999; border-radius: .7rem; padding: .5rem 1rem; margin: .7rem 0 }\n\
    ul { padding: 0 } p { margin: .2rem 0; white-space: pre-wrap } small { color: #555 }\n\
    table { border-collapse: collapse } td { padding: .2rem 1rem .2rem 0; vertical-align: top }\n\
    </style>\n";

/// Renders the page: the newest messages first, then the people.
pub(crate) fn render(people: &People, latest: &[(String, Message)], now: DateTime<Utc>) -> String {
    let mut page = format!("{HEAD}<h1>Phones</h1>\n<p>The sandbox's time is {}.</p>\n<ul>\n", local(now));
    if latest.is_empty() {
        page.push_str("<li>No phone has received anything yet.</li>\n");
    }
    let never_fails = "writing to a string never fails";
    for (number, message) in latest {
        let owner = people.by_mobile_number(number).map_or("no person", |person| &person.name);
        let (owner, text, sender) = (escape(owner), escape(&message.text), escape(&message.sender));
        let time = local(message.time);
        writeln!(page, "<li><small>{time} &middot; {owner} {number} &middot; from {sender}</small><p>{text}</p></li>")
            .expect(never_fails);
    }
    page.push_str("</ul>\n<h2>People</h2>\n<table>\n");
    for person in people.all().iter().take(MAX_PEOPLE_SHOWN) {
        let entry = people.entry(person);
        let number = entry["mobile_number"].as_str().unwrap_or_default();
        let (id, name, story) = (escape(&person.id), escape(&person.name), escape(person.story));
        writeln!(page, "<tr><td>{id}<td>{name}<td>{number}<td>{story}").expect(never_fails);
    }
    page.push_str("</table>\n");
    page
}

fn local(time: DateTime<Utc>) -> String {
    time.with_timezone(&Copenhagen).format("%-d %B %Y %H:%M:%S").to_string()
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
