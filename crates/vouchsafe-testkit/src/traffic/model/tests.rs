use super::*;

fn model() -> Model {
    Model::new(1, "2026-06-01T12:00:00Z".parse().unwrap())
}

fn job(deed: Deed, said: &str) -> Job {
    Job { deed, said: Some(said.split_whitespace().map(|said| said.parse().unwrap()).collect()) }
}

fn enrolled() -> Model {
    let mut model = model();
    model.settle(0, &[job(Deed::Join(0, 1), "served given@3 permitted:1 enrolled@4")]).unwrap();
    model.settle(0, &[job(Deed::Verify(0, 1), "permitted:1 accepted")]).unwrap();
    model
}

#[test]
fn alone_one_answer_fits() {
    for (deed, fits, misfits) in [
        (Deed::Verify(0, 1), "permitted:1 accepted", "permitted:1 unlike"),
        (Deed::Verify(0, 2), "permitted:1 unlike", "permitted:1 accepted"),
        (Deed::Enrol(0, 2), "permitted:1 taken", "permitted:1 enrolled"),
        (Deed::Withdraw(0), "done", "nothing"),
        (Deed::Consent(0), "served renewed@5", "served given@5"),
        (Deed::Verify(0, 1), "permitted:1 accepted", "permitted:2 accepted"),
        (Deed::Verify(0, 1), "permitted:1 accepted", "closed"),
    ] {
        assert!(enrolled().settle(0, &[job(deed, fits)]).is_ok(), "{deed}");
        assert!(enrolled().settle(0, &[job(deed, misfits)]).is_err(), "{deed}");
    }
}

#[test]
fn an_acknowledged_withdrawal_binds_everybody_else_at_once() {
    let mut model = enrolled();
    model.settle(0, &[job(Deed::Withdraw(0), "pending")]).unwrap();
    assert_eq!(model.may_be(0).first().map(|person| person.template), Some(Template::Fenced));
    let misfit = model.settle(0, &[job(Deed::Verify(0, 1), "permitted:1 accepted")]).unwrap_err();
    assert!(misfit.accepted_without_consent);
}

#[test]
fn beside_each_other_both_orders_fit_and_nothing_else() {
    let both = |verify: &str| {
        let mut model = enrolled();
        let jobs = [job(Deed::Verify(0, 1), verify), job(Deed::Withdraw(0), "done")];
        model.settle(0, &jobs).map(|()| model.may_be(0).len())
    };
    for verify in ["permitted:1 accepted", "permitted:1 closed", "closed"] {
        assert_eq!(both(verify).unwrap(), 1, "{verify}");
    }
    for verify in ["permitted:1 gone", "permitted:1 absent", "permitted:2 accepted"] {
        assert!(both(verify).is_err(), "{verify}");
    }
    let mut model = enrolled();
    let twice = [job(Deed::Withdraw(0), "done"), job(Deed::Withdraw(0), "done")];
    assert!(model.settle(0, &twice).is_err(), "one of them found nothing to withdraw");
}

#[test]
fn what_nobody_heard_may_be_until_somebody_asks() {
    let unknown = Word::Failed(false, "Store(CommitUnknown)".to_owned());
    for said in [None, Some(vec![unknown.into()])] {
        let mut model = enrolled();
        model.settle(0, &[Job { deed: Deed::Withdraw(0), said }]).unwrap();
        assert_eq!(model.may_be(0).len(), 2);
        let mut other = model.clone();
        model.settle(0, &[job(Deed::Verify(0, 1), "closed")]).unwrap();
        other.settle(0, &[job(Deed::Verify(0, 1), "permitted:1 accepted")]).unwrap();
        assert_eq!((model.may_be(0).len(), other.may_be(0).len()), (1, 1));
        assert!(model.settle(0, &[job(Deed::Verify(0, 1), "permitted:1 accepted")]).is_err());
    }
}

#[test]
fn an_error_that_says_that_nothing_is_stored_is_taken_at_its_word() {
    let mut model = enrolled();
    model.settle(0, &[job(Deed::Withdraw(0), "failed:1:Store(Io)")]).unwrap();
    assert!(model.settle(0, &[job(Deed::Verify(0, 1), "closed")]).is_err());
}

#[test]
fn a_sweep_may_come_before_or_after_and_has_come_in_the_end() {
    let mut model = enrolled();
    model.moved_to("2027-06-02T12:00:00Z".parse().unwrap());
    model.sweep_begins();
    let mut kept = model.clone();
    kept.settle(0, &[job(Deed::Verify(0, 1), "permitted:1 accepted")]).unwrap();
    kept.sweep_ends(0, SweepEnd::Done);
    kept.settle(0, &[job(Deed::Verify(0, 1), "permitted:1 accepted")]).unwrap();
    let mut swept = model.clone();
    swept.settle(0, &[job(Deed::Verify(0, 1), "permitted:1 gone")]).unwrap();
    assert!(swept.settle(0, &[job(Deed::Verify(0, 1), "permitted:1 accepted")]).is_err());
    model.sweep_ends(0, SweepEnd::Done);
    assert!(model.settle(0, &[job(Deed::Verify(0, 1), "permitted:1 accepted")]).is_err());
}
