# Danish. The language that the others fall back to: every text is here.
# SMS: GSM-7 letters only, at most 160 of them with the longest values; no name, no CPR number, no link (R24).
# $zone is `local` where the time is that of the phone's country, else `danish`.

-support = MitID Support +45 33 98 00 10

## SMS

sms-pin = Din midlertidige PIN-kode til MitID er { $pin }. Den udløber kl. { $time }{ $zone ->
        [danish] {" "}dansk tid
       *[local] {""}
    }. Del den ikke med nogen. Ikke dig? Ring til { -support }
sms-access-requested = MitID: Der er bedt om en midlertidig PIN-kode. Den kan bestilles fra { $date } kl. { $time }{ $zone ->
        [danish] {" "}dansk tid
       *[local] {""}
    }. Ikke dig? Stop det: Ring til { -support }
sms-hold-passed = MitID: Log ind igen og bestil din midlertidige PIN-kode senest { $date } kl. { $time }{ $zone ->
        [danish] {" "}dansk tid
       *[local] {""}
    }. Ikke dig? Stop det: Ring til { -support }

## Questions (R16). Where several answers can be right, the question asks for one of them.

question-previous-road = Nævn en vej, du har boet på, før du flyttede til din nuværende adresse.
question-moved-in-year = Hvilket år flyttede du ind på din nuværende adresse?
question-previous-municipality = Nævn en kommune, du tidligere har boet i.
question-birthplace = Hvor er du født?
question-spouse-birth-date = Hvornår er din ægtefælle født? (dag, måned og år)
question-wedding-year = Hvilket år blev du gift?
question-child-birth-date = Hvornår er et af dine børn født? (dag, måned og år)
question-mother-birth-date = Hvornår er din mor født? (dag, måned og år)
question-father-birth-date = Hvornår er din far født? (dag, måned og år)
question-previous-surname = Nævn et efternavn, du har haft tidligere.
