//! The countries that issue documents.

/// The codes of countries and territories (ISO 3166-1 alpha-3), and `RKS` of Kosovo and `GBD` of the British overseas territories
/// (ICAO Doc 9303 part 3, section 5).
///
/// Deliberately not among them: `UTO`, the Utopia of specimens; codes of nationalities that issue nothing, such as `XXX` and
/// `XXA`; and organisations such as `UNO` and `EUE`, whose papers are no passports.
const CODES: &str = "\
    ABW AFG AGO AIA ALA ALB AND ARE ARG ARM ASM ATA ATF ATG AUS AUT AZE BDI BEL BEN BES BFA BGD BGR BHR BHS BIH BLM BLR BLZ BMU \
    BOL BRA BRB BRN BTN BVT BWA CAF CAN CCK CHE CHL CHN CIV CMR COD COG COK COL COM CPV CRI CUB CUW CXR CYM CYP CZE DEU DJI DMA \
    DNK DOM DZA ECU EGY ERI ESH ESP EST ETH FIN FJI FLK FRA FRO FSM GAB GBD GBR GEO GGY GHA GIB GIN GLP GMB GNB GNQ GRC GRD GRL \
    GTM GUF GUM GUY HKG HMD HND HRV HTI HUN IDN IMN IND IOT IRL IRN IRQ ISL ISR ITA JAM JEY JOR JPN KAZ KEN KGZ KHM KIR KNA KOR \
    KWT LAO LBN LBR LBY LCA LIE LKA LSO LTU LUX LVA MAC MAF MAR MCO MDA MDG MDV MEX MHL MKD MLI MLT MMR MNE MNG MNP MOZ MRT MSR \
    MTQ MUS MWI MYS MYT NAM NCL NER NFK NGA NIC NIU NLD NOR NPL NRU NZL OMN PAK PAN PCN PER PHL PLW PNG POL PRI PRK PRT PRY PSE \
    PYF QAT REU RKS ROU RUS RWA SAU SDN SEN SGP SGS SHN SJM SLB SLE SLV SMR SOM SPM SRB SSD STP SUR SVK SVN SWE SWZ SXM SYC SYR \
    TCA TCD TGO THA TJK TKL TKM TLS TON TTO TUN TUR TUV TWN TZA UGA UKR UMI URY USA UZB VAT VCT VEN VGB VIR VNM VUT WLF WSM YEM \
    ZAF ZMB ZWE";

/// Whether documents can be issued by the country with that code of three upper-case letters.
#[must_use]
pub fn is_issuer(code: &str) -> bool {
    CODES.split_ascii_whitespace().any(|known| known == code)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("DNK", true)]
    #[case("GRL", true)]
    #[case("FRO", true)]
    #[case("RKS", true)]
    #[case("GBD", true)]
    #[case::specimens("UTO", false)]
    #[case::unspecified_nationality("XXX", false)]
    #[case::stateless("XXA", false)]
    #[case::organisation("UNO", false)]
    #[case::european_union("EUE", false)]
    #[case::a_country_that_is_gone("YUG", false)]
    #[case::as_the_zone_writes_germany("D", false)]
    #[case("dnk", false)]
    #[case("", false)]
    #[case("DNK GRL", false)]
    fn r15_countries_issue_documents(#[case] code: &str, #[case] expected: bool) {
        assert_eq!(is_issuer(code), expected);
    }

    #[test]
    fn r15_every_country_is_listed_once_in_order() {
        let codes: Vec<&str> = CODES.split_ascii_whitespace().collect();
        assert!(codes.is_sorted_by(|left, right| left < right));
        // ISO 3166-1 has 249 entries.
        assert_eq!(codes.len(), 249 + 2);
    }
}
