//! Places that are usually called by several names. All names are in the spelling of [`super::words`], without spaces.

/// Each group is one place; its first name stands for all of them. Only names that mean the same place and nothing else are here.
const PLACES: [&[&str]; 84] = [
    // Denmark: English, German and Swedish names.
    &["koebenhavn", "copenhagen", "kopenhagen", "koepenhamn"],
    &["helsingoer", "elsinore"],
    &["haderslev", "hadersleben"],
    &["aabenraa", "apenrade"],
    &["soenderborg", "sonderburg"],
    &["toender", "tondern"],
    // Greenland: Danish names, and those of the Arctic towns in older spellings.
    &["nuuk", "godthaab"],
    &["ilulissat", "jakobshavn"],
    &["sisimiut", "holsteinsborg"],
    &["maniitsoq", "sukkertoppen"],
    &["paamiut", "frederikshaab"],
    &["qaqortoq", "julianehaab"],
    &["aasiaat", "egedesminde"],
    &["qasigiannguit", "christianshaab"],
    &["qeqertarsuaq", "godhavn"],
    &["tasiilaq", "ammassalik", "angmagssalik"],
    &["ittoqqortoormiit", "scoresbysund"],
    &["uummannaq", "umanak"],
    &["narsaq", "narssaq"],
    // The Faroe Islands.
    &["torshavn", "thorshavn"],
    &["klaksvik", "klaksvig"],
    &["tvoeroyri", "tveraa"],
    // Neighbours.
    &["flensborg", "flensburg"],
    &["slesvig", "schleswig"],
    &["goeteborg", "gothenburg"],
    &["hamborg", "hamburg"],
    &["luebeck", "lybaek", "lubeck"],
    &["muenchen", "munich", "munchen"],
    &["koeln", "cologne"],
    // Further cities.
    &["warszawa", "warsaw", "warschau"],
    &["wien", "vienna"],
    &["prag", "prague", "praha"],
    &["moskva", "moscow"],
    &["kyiv", "kiev"],
    &["rom", "rome", "roma"],
    &["lissabon", "lisbon", "lisboa"],
    &["athen", "athens"],
    &["beograd", "belgrade"],
    &["bukarest", "bucharest"],
    &["bruxelles", "brussels"],
    &["geneve", "geneva"],
    &["kairo", "cairo"],
    &["bagdad", "baghdad"],
    &["damaskus", "damascus"],
    &["teheran", "tehran"],
    // Countries.
    &["danmark", "denmark"],
    &["groenland", "greenland", "kalaallitnunaat"],
    &["faeroeerne", "faroeislands", "thefaroeislands", "foeroyar"],
    &["sverige", "sweden"],
    &["norge", "norway"],
    &["island", "iceland"],
    &["tyskland", "germany", "deutschland"],
    &["polen", "poland", "polska"],
    &["storbritannien", "unitedkingdom", "theunitedkingdom", "greatbritain", "uk"],
    &["usa", "unitedstates", "theunitedstates", "unitedstatesofamerica"],
    &["nederlandene", "netherlands", "thenetherlands", "holland"],
    &["belgien", "belgium"],
    &["frankrig", "france"],
    &["spanien", "spain"],
    &["italien", "italy"],
    &["graekenland", "greece"],
    &["schweiz", "switzerland"],
    &["oestrig", "austria"],
    &["ungarn", "hungary"],
    &["rumaenien", "romania"],
    &["litauen", "lithuania"],
    &["letland", "latvia"],
    &["estland", "estonia"],
    &["rusland", "russia"],
    &["kroatien", "croatia"],
    &["serbien", "serbia"],
    &["bosnienhercegovina", "bosniaandherzegovina", "bosniaherzegovina"],
    &["tyrkiet", "turkey", "turkiye", "tuerkiye"],
    &["irak", "iraq"],
    &["libanon", "lebanon"],
    &["syrien", "syria"],
    &["marokko", "morocco"],
    &["egypten", "egypt"],
    &["etiopien", "ethiopia"],
    &["filippinerne", "philippines", "thephilippines"],
    &["kina", "china"],
    &["indien", "india"],
    &["brasilien", "brazil"],
    &["sydafrika", "southafrica"],
];

/// The first name of the place; the name itself if it has no other.
pub(super) fn standard_name(name: &str) -> &str {
    PLACES.iter().find(|names| names.contains(&name)).map_or(name, |names| names[0])
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::words::split_words;
    use super::*;

    #[test]
    fn r17_each_name_stands_for_one_place_and_is_in_the_spelling_of_answers() {
        let names: Vec<&str> = PLACES.iter().flat_map(|names| names.iter().copied()).collect();
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
        for name in names {
            assert_eq!(split_words(name), [name]);
        }
    }
}
