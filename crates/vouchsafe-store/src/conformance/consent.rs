use vouchsafe_types::{DataClass, Digest, RecordId};

use super::*;
use crate::{ConsentRow, Holding, HoldingState, MarkRow, NoticeRow, PayloadRow, ServedRow};

const ANN: SubjectPseudonym = SubjectPseudonym::from_bytes([1; 32]);
const BEN: SubjectPseudonym = SubjectPseudonym::from_bytes([2; 32]);

/// A notice published at second `number` and in force from `effective` on.
fn notice(number: u8, locale: &str, effective: i64) -> NoticeRow {
    NoticeRow {
        digest: Digest::from_bytes([number; 32]),
        id: "biometrics".to_owned(),
        version: number.to_string(),
        locale: locale.to_owned(),
        shown: vec![number],
        published_at: at(number.into()),
        effective_at: at(effective),
        material: true,
        attested_by: 2,
        terms: b"{}".to_vec(),
        schedule: b"schedule".to_vec(),
    }
}

fn act(sequence: u64, status: u8, expires: Option<i64>) -> ConsentRow {
    ConsentRow {
        sequence,
        status,
        notice: Digest::from_bytes([1; 32]),
        at: at(10),
        expires: expires.map(at),
        entry: Some(sequence + 100),
    }
}

/// One organisation with a notice and two persons.
fn scene<'a>(fresh: Fresh<'a>) -> Box<dyn Stage + 'a> {
    let stage = fresh();
    let store = stage.store();
    let filled = change(store, &acme(), |rows| {
        rows.insert_organisation(&acme(), at(0))?;
        rows.insert_notice(&acme(), &notice(1, "en", 1))?;
        [ANN, BEN].into_iter().try_for_each(|subject| rows.touch_subject(&acme(), subject, at(0), 0))
    });
    filled.unwrap();
    stage
}

pub(super) fn the_notice_in_force_is_the_one_that_took_effect_last(fresh: Fresh<'_>) {
    let stage = scene(fresh);
    let store = stage.store();
    let (future, past, german) = (notice(2, "en", 50), notice(3, "en", 20), notice(4, "de", 40));
    change(store, &acme(), |rows| {
        [&future, &past, &german].into_iter().try_for_each(|notice| rows.insert_notice(&acme(), notice))
    })
    .unwrap();
    let in_force = |locale: &str, now: i64| {
        change(store, &acme(), |rows| rows.notice_in_force(&acme(), "biometrics", locale, at(now))).unwrap()
    };
    assert_eq!(in_force("en", 0), None);
    assert_eq!(in_force("en", 1), Some(notice(1, "en", 1)));
    assert_eq!(in_force("en", 20), Some(past.clone()));
    assert_eq!(
        in_force("en", 99),
        Some(future.clone()),
        "it took effect last, though it was published first"
    );
    assert_eq!(in_force("de", 39), None);
    assert_eq!(in_force("de", 40), Some(german.clone()));

    let since = |digest: u8, now: i64| {
        let digest = Digest::from_bytes([digest; 32]);
        change(store, &acme(), |rows| rows.notices_since(&acme(), digest, at(now))).unwrap()
    };
    assert_eq!(since(1, 19), []);
    assert_eq!(since(1, 99), [future.clone(), past.clone(), german.clone()]);
    assert_eq!(since(3, 99), [future.clone(), german.clone()], "also what takes effect after it");
    assert_eq!(since(2, 49), [past.clone(), german.clone()]);
    assert_eq!(since(9, 99), []);
    let all = change(store, &acme(), |rows| rows.notices(&acme())).unwrap();
    assert_eq!(all, [notice(1, "en", 1), future, past, german]);
    let again = change(store, &acme(), |rows| rows.insert_notice(&acme(), &notice(1, "fr", 1)));
    assert_eq!(again, Err(StoreError::Conflict));
}

pub(super) fn acts_of_consent_follow_each_other_without_a_gap(fresh: Fresh<'_>) {
    let stage = scene(fresh);
    let store = stage.store();
    let append = |sequence: u64, status: u8| {
        change(store, &acme(), |rows| {
            rows.append_consent(&acme(), ANN, face(), &act(sequence, status, None))
        })
    };
    assert_eq!(append(2, 1), Err(StoreError::Conflict));
    assert_eq!(append(0, 1), Err(StoreError::Conflict));
    append(1, 1).unwrap();
    for sequence in [0, 1, 3] {
        assert_eq!(append(sequence, 4), Err(StoreError::Conflict), "{sequence}");
    }
    append(2, 4).unwrap();
    append(3, 1).unwrap();
    assert_eq!(append(2, 4), Err(StoreError::Conflict));
    for status in [0, 8] {
        assert_eq!(append(4, status), Err(StoreError::Conflict));
    }
    let read = change(store, &acme(), |rows| {
        Ok((rows.consent(&acme(), ANN, face())?, rows.consent_acts(&acme(), ANN, face())?))
    });
    let (newest, acts) = read.unwrap();
    assert_eq!(newest, Some(act(3, 1, None)));
    assert_eq!(acts, [act(1, 1, None), act(2, 4, None), act(3, 1, None)]);
    assert_eq!(change(store, &acme(), |rows| rows.consent(&acme(), BEN, face())), Ok(None));
}

pub(super) fn due_are_only_the_newest_acts_that_are_open(fresh: Fresh<'_>) {
    let stage = scene(fresh);
    let store = stage.store();
    let due = |before: i64, limit: u32| {
        change(store, &acme(), |rows| rows.open_consents_due(&acme(), at(before), limit)).unwrap()
    };
    change(store, &acme(), |rows| {
        rows.append_consent(&acme(), ANN, face(), &act(1, 1, Some(30)))?;
        rows.append_consent(&acme(), BEN, face(), &act(1, 1, Some(20)))
    })
    .unwrap();
    assert_eq!(due(19, 9), []);
    let (ann, ben) = ((ANN, face(), act(1, 1, Some(30))), (BEN, face(), act(1, 1, Some(20))));
    assert_eq!(due(30, 9), [ben, ann]);
    assert_eq!(due(30, 1), [ben]);

    change(store, &acme(), |rows| {
        rows.append_consent(&acme(), ANN, face(), &act(2, 2, Some(60)))?;
        rows.append_consent(&acme(), BEN, face(), &act(2, 4, Some(20)))
    })
    .unwrap();
    assert_eq!(due(59, 9), [], "renewed, and withdrawn");
    assert_eq!(due(60, 9), [(ANN, face(), act(2, 2, Some(60)))]);
}

pub(super) fn a_served_notice_is_used_once(fresh: Fresh<'_>) {
    let stage = scene(fresh);
    let store = stage.store();
    let served = ServedRow {
        ticket: [7; 16],
        subject: ANN,
        scope: face(),
        notice: Digest::from_bytes([1; 32]),
        served_at: at(9),
        entry: 4,
        used_sequence: None,
    };
    let insert = |row: &ServedRow| change(store, &acme(), |rows| rows.insert_served(&acme(), row));
    let read = |ticket| change(store, &acme(), |rows| rows.served(&acme(), ticket)).unwrap();
    let unknown = ServedRow { notice: Digest::from_bytes([9; 32]), ..served };
    assert_eq!(insert(&unknown), Err(StoreError::Conflict));
    insert(&served).unwrap();
    assert_eq!(insert(&served), Err(StoreError::Conflict));
    assert_eq!((read([7; 16]), read([8; 16])), (Some(served), None));

    let spend = |ticket, sequence| change(store, &acme(), |rows| rows.use_served(&acme(), ticket, sequence));
    assert_eq!(spend([8; 16], 1), Err(StoreError::Conflict));
    spend([7; 16], 3).unwrap();
    assert_eq!(spend([7; 16], 4), Err(StoreError::Conflict));
    assert_eq!(read([7; 16]), Some(ServedRow { used_sequence: Some(3), ..served }));
    let shown = change(store, &acme(), |rows| rows.served_to(&acme(), ANN)).unwrap();
    assert_eq!(shown.iter().map(|row| row.ticket).collect::<Vec<_>>(), [[7; 16]]);
    assert_eq!(change(store, &other(), |rows| rows.served_to(&other(), ANN)).unwrap(), []);
}

pub(super) fn a_mark_stays_as_it_was_first_set_until_it_is_removed(fresh: Fresh<'_>) {
    let stage = scene(fresh);
    let store = stage.store();
    let mark = |mark, second| MarkRow { mark, set_at: at(second), entry: 5 };
    let put = |row| change(store, &acme(), |rows| rows.put_mark(&acme(), ANN, &row));
    let remove = |code| change(store, &acme(), |rows| rows.remove_mark(&acme(), ANN, code));
    let read = |subject| change(store, &acme(), |rows| rows.marks(&acme(), subject)).unwrap();
    assert_eq!((put(mark(3, 1)), put(mark(1, 2)), put(mark(3, 9))), (Ok(true), Ok(true), Ok(false)));
    assert_eq!(put(mark(4, 1)), Err(StoreError::Conflict));
    assert_eq!((read(ANN), read(BEN)), (vec![mark(1, 2), mark(3, 1)], vec![]));
    assert_eq!((remove(3), remove(3)), (Ok(true), Ok(false)));
    assert_eq!(read(ANN), [mark(1, 2)]);
}

pub(super) fn organisations_and_payloads_come_in_order(fresh: Fresh<'_>) {
    let stage = scene(fresh);
    let store = stage.store();
    let leaf = LeafIndex::new(0).unwrap();
    let payload = |number: u8| PayloadRow {
        leaf,
        id: RecordId::from_bytes([number; 16]),
        sealed: vec![number],
        key_version: 1,
    };
    add(store, &OrganisationId::parse("aaa").unwrap());
    change(store, &acme(), |rows| {
        let holding = Holding {
            leaf,
            class: DataClass::ConsentEvidence,
            subject: ANN,
            scope: None,
            state: HoldingState::Live,
            created_at: at(0),
            created_entry: None,
            review_at: None,
        };
        rows.insert_holding(&acme(), &holding)?;
        for number in 0..4 {
            let entry = rows.append_entry(&acme(), &[number])?;
            if number != 1 {
                rows.insert_payload(&acme(), entry, &payload(number))?;
            }
        }
        Ok(())
    })
    .unwrap();
    let organisations = store.organisations().unwrap();
    assert_eq!(organisations.iter().map(OrganisationId::as_str).collect::<Vec<_>>(), ["aaa", "acme"]);
    let page = |after, limit| change(store, &acme(), |rows| rows.payloads(&acme(), after, limit)).unwrap();
    assert_eq!(page(None, 2), [(0, payload(0)), (2, payload(2))]);
    assert_eq!(page(Some(0), 9), [(2, payload(2)), (3, payload(3))]);
    assert_eq!((page(Some(3), 9), page(Some(u64::MAX), 9)), (vec![], vec![]));
}
