# Danish. The language that the others fall back to: every text is here.
# SMS: GSM-7 letters only, at most 160 of them with the longest values; no name, no CPR number, no link (R24).
# $zone is `local` where the time is that of the phone's country, else `danish`.

-support = MitID Support +45 33 98 00 10

## SMS

sms_pin = Din midlertidige PIN-kode til MitID er { $pin }. Den udløber kl. { $time }{ $zone ->
        [danish] {" "}dansk tid
       *[local] {""}
    }. Del den ikke med nogen. Ikke dig? Ring til { -support }
sms_access_requested = MitID: Der er bedt om en midlertidig PIN-kode. Den kan bestilles fra { $date } kl. { $time }{ $zone ->
        [danish] {" "}dansk tid
       *[local] {""}
    }. Ikke dig? Stop det: Ring til { -support }
sms_hold_passed = MitID: Log ind igen og bestil din midlertidige PIN-kode senest { $date } kl. { $time }{ $zone ->
        [danish] {" "}dansk tid
       *[local] {""}
    }. Ikke dig? Stop det: Ring til { -support }

sms_access_cancelled = MitID: Din anmodning om en midlertidig PIN-kode er annulleret. Du kan bede om adgang igen. Spørgsmål? Ring til { -support }
sms_pin_revoked = MitID: Din midlertidige PIN-kode er spærret og kan ikke bruges. Spørgsmål? Ring til { -support }

## Questions (R16). Where several answers can be right, the question asks for one of them.

question_previous_road = Nævn en vej, du har boet på, før du flyttede til din nuværende adresse.
question_moved_in_year = Hvilket år flyttede du ind på din nuværende adresse?
question_previous_municipality = Nævn en kommune, du tidligere har boet i.
question_birthplace = Hvor er du født?
question_spouse_birth_date = Hvornår er din ægtefælle født? (dag, måned og år)
question_wedding_year = Hvilket år blev du gift?
question_child_birth_date = Hvornår er et af dine børn født? (dag, måned og år)
question_mother_birth_date = Hvornår er din mor født? (dag, måned og år)
question_father_birth_date = Hvornår er din far født? (dag, måned og år)
question_previous_surname = Nævn et efternavn, du har haft tidligere.
