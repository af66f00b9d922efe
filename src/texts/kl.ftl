# Greenlandic (Kalaallisut). DRAFT: AWAITS REVIEW BY A NATIVE SPEAKER.
# Danish replaces the texts that are missing here. Nothing is translated by guess: the Greenlandic sentence below is the
# advice on the MitID pages of aka.gl, "never show your codes to others". The rest of the PIN text stays Danish until the review.

-support = MitID Support +45 33 98 00 10

## SMS

sms_pin = Midlertidig PIN-kode til MitID: { $pin }. Udløber kl. { $time }{ $zone ->
        [danish] {" "}dansk tid
       *[local] {""}
    }. Kodetit allanut takutinngisaannakkit. { -support }
# sms_witnessed awaits a native speaker.
