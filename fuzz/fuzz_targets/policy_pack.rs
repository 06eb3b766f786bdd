//! A retention pack: whatever loads also resolves, and a floor never moves a deadline forward.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vouchsafe_retention::{Facts, PersonalAct, Policy, Problem, RetentionError};
use vouchsafe_types::{DataClass, Modality, Role, Timestamp};

fuzz_target!(|pack: &str| {
    match Policy::from_packs(&[pack]) {
        Ok(policy) => {
            assert_eq!(Policy::from_packs(&[pack]).map(|again| again.digest()), Ok(policy.digest()));
            let _ = policy.gaps().iter().map(ToString::to_string).collect::<Vec<_>>();
            resolve_all(&policy);
        }
        // The rule may be one of the shipped packs; they are slow to read, so not for every input.
        Err(RetentionError::Pack(fault)) if *fault.problem() == Problem::UnknownRule => {
            let [facialproof, webel, vouchsafe] = Policy::DEFAULT_PACKS;
            if let Ok(policy) = Policy::from_packs(&[facialproof, webel, vouchsafe, pack]) {
                resolve_all(&policy);
            }
        }
        Err(error) => assert!(!error.to_string().contains('\n')),
    }
});

fn resolve_all(policy: &Policy) {
    let instants = [Timestamp::MIN, Timestamp::UNIX_EPOCH, Timestamp::MAX];
    for class in DataClass::ALL {
        for (modality, role) in [(Modality::Face, Role::EndUser), (Modality::Voice, Role::Administrator)] {
            let modality = (class == DataClass::Biometric).then_some(modality);
            let facts = Facts::new(class, modality, role).expect("only biometric data has a modality");
            for at in instants {
                let facts = facts.clone().created(at).acted(PersonalAct::Verified, at);
                let facts = facts.account_deleted(at).learned_minor(at).method_disabled(at);
                let Ok(deadline) = policy.resolve(&facts.purpose_met(at).withdrawn(at)) else { continue };
                let (due, not_before) = (deadline.due(), deadline.not_before());
                assert!(due.is_none() || not_before.is_none() || due >= not_before);
                assert!(!deadline.explanation().is_empty());
            }
        }
    }
}
