# Danish. Every text must be here, because Danish replaces texts that are missing in other languages.
# An SMS has at most 160 GSM-7 characters, with the longest values; no name, no CPR number, no link (R24).
# $zone is `local` if the time is the local time of the country of the number, otherwise `danish`.

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
sms_witnessed = MitID: Du var vidne for en anden person i Borgerservice { $date } kl. { $time }{ $zone ->
        [danish] {" "}dansk tid
       *[local] {""}
    }. Ikke dig? Ring til { -support }

## Questions (R16). If several answers can be right, the question asks for one of them.

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

## Refusals: the texts for the person, by reason (common.proto says the same to callers). `.until` is used if the time is known;
## it is Danish time. The texts must not depend on who the person is.

-fault = Der er en fejl i det system, der blev brugt. Prøv igen senere, eller ring til { -support }.
-counter = Bestil en tid i Borgerservice, og tag gyldig legitimation med
-busy = Der er travlt lige nu. Prøv igen om lidt.
-verify = Din identitet skal bekræftes igen.

refusal_invalid_field = Nogle af oplysningerne kan ikke være rigtige. Ret dem, og prøv igen.
refusal_request_id_reused = { -fault }
refusal_caller_unknown = { -fault }
refusal_caller_not_allowed = { -fault }
refusal_method_unknown = { -fault }
refusal_message_too_large = { -fault }
refusal_identity_not_confirmed = Din identitet kunne ikke bekræftes. { -counter }.
refusal_insufficient_data = Der er ikke oplysninger nok til at bekræfte din identitet med spørgsmål. { -counter } og et vidne.
refusal_login_not_accepted = Dit login kunne ikke bruges. Log ind igen.
refusal_login_too_old = Det er for længe siden, du loggede ind. Log ind igen.
refusal_assurance_too_low = Du er ikke logget sikkert nok ind. Log ind igen på en anden måde, fx med kodeviser.
refusal_agent_not_accepted = Medarbejderen kan ikke hjælpe dig med dette. Bed om en anden medarbejder.
refusal_document_not_accepted = Din legitimation kan ikke bruges. Tag anden gyldig legitimation med.
refusal_witness_not_accepted = Vidnet kan ikke bruges. Tag et andet vidne med.
refusal_witness_login_not_accepted = Vidnets login kan ikke bruges. Vidnet skal logge ind igen med MitID.
refusal_too_young = Du er for ung til at få en midlertidig PIN-kode.
    .until = Du er for ung til at få en midlertidig PIN-kode. Du kan få den fra { $date }.
refusal_person_dead = Der kan ikke udstedes en midlertidig PIN-kode til denne person. Er det en fejl, så ring til { -support }.
refusal_person_disappeared = { refusal_person_dead }
refusal_cpr_number_not_valid = CPR-nummeret er ikke gyldigt. Kontakt kommunen.
refusal_counter_only = Du kan kun få en midlertidig PIN-kode ved personligt fremmøde. { -counter }.
refusal_mitid_not_active = Dit MitID er ikke aktivt. { -counter }.
refusal_no_mobile_number = Der er ikke registreret et mobilnummer på dit MitID. Du kan få en aktiveringskode på papir. { -counter }.
refusal_mobile_number_not_allowed = PIN-koden kan ikke sendes til det mobilnummer, der er registreret på dit MitID. Registrer et andet nummer.
refusal_mobile_number_changed_recently = Mobilnummeret på dit MitID er ændret for nylig. { -counter }.
    .until = Mobilnummeret på dit MitID er ændret for nylig. { -counter }, eller vent til { $date } kl. { $time } dansk tid.
refusal_person_blocked = Der kan ikke udstedes en midlertidig PIN-kode til dig. Ring til { -support }.
refusal_cpr_status_unclear = CPR-registret viser ikke, hvor du bor. { -counter }.
refusal_in_person_only = Du skal møde personligt op for at få en midlertidig PIN-kode. { -counter }.
refusal_access_not_requested = Du har ikke bedt om en midlertidig PIN-kode, eller det er stoppet. Log ind, og bed om den.
refusal_hold_running = Ventetiden er ikke gået endnu. Kom tilbage senere.
    .until = Ventetiden er ikke gået endnu. Kom tilbage { $date } kl. { $time } dansk tid.
refusal_access_expired = Fristen for at bestille er udløbet. Log ind, og bed om en midlertidig PIN-kode igen.
refusal_login_again = Ventetiden er gået. Log ind igen for at bestille.
refusal_verification_unknown = { -verify }
refusal_verification_not_confirmed = Din identitet er ikke bekræftet endnu. Svar på spørgsmålene først.
refusal_verification_expired = { -verify }
refusal_verification_used = { -verify }
refusal_verification_limit = Det er prøvet for mange gange at bekræfte identiteten. Prøv igen senere.
    .until = Det er prøvet for mange gange at bekræfte identiteten. Prøv igen { $date } kl. { $time } dansk tid.
refusal_person_limit = Du har fået så mange midlertidige PIN-koder, som du kan få. Prøv igen senere.
    .until = Du har fået så mange midlertidige PIN-koder, som du kan få. Prøv igen { $date } kl. { $time } dansk tid.
refusal_mobile_limit = Der er sendt så mange midlertidige PIN-koder til mobilnummeret, som der kan. Prøv igen senere.
    .until = Der er sendt så mange midlertidige PIN-koder til mobilnummeret, som der kan. Prøv igen { $date } kl. { $time } dansk tid.
refusal_agent_limit = Medarbejderen kan ikke gøre mere for dig lige nu. Bed om en anden medarbejder, eller prøv igen senere.
    .until = Medarbejderen kan ikke gøre mere for dig lige nu. Bed om en anden medarbejder, eller prøv igen { $date } kl. { $time } dansk tid.
refusal_caller_limit = { -busy }
refusal_service_limit = { -busy }
refusal_overloaded = { -busy }
refusal_busy = { -busy }
refusal_wrong_try_limit = Der er prøvet en forkert midlertidig PIN-kode for mange gange. Prøv igen senere.
    .until = Der er prøvet en forkert midlertidig PIN-kode for mange gange. Prøv igen { $date } kl. { $time } dansk tid.
refusal_unavailable = Tjenesten svarer ikke lige nu. Prøv igen om lidt.
refusal_deadline_exceeded = Det tog for lang tid. Prøv igen.
refusal_internal = { -fault }
