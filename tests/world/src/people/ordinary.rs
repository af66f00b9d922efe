//! Ordinary persons with names, so that each test or reader can use another one.

use super::person::{Opening, Person};

pub(super) fn cast(opening: Opening) -> Vec<Person> {
    let names = [
        ("anna", "Anna Asmussen"),
        ("bjarne", "Bjarne Bruun"),
        ("cecilie", "Cecilie Clemmensen"),
        ("david", "David Dalgaard"),
        ("emma", "Emma Enevoldsen"),
        ("frederik", "Frederik Frandsen"),
        ("gitte", "Gitte Grøn"),
        ("henrik", "Henrik Hjort"),
        ("ida", "Ida Iversen"),
        ("jonas", "Jonas Juul"),
        ("kirsten", "Kirsten Krogh"),
        ("lars", "Lars Lind"),
    ];
    (1..).zip(names).map(|(number, (id, name))| Person::ordinary(number, id, name, opening)).collect()
}
