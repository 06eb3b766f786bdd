//! Where data may lie is part of the organisation's policy.

use vouchsafe::retention::Region;
use vouchsafe::retention::disclosure::Safeguard;
use vouchsafe::{DataInventory, Error, Place, Residence, Stored, Vouchsafe};

use crate::scene::{HOST, Scene, policy};

fn place(region: &str) -> Option<Place> {
    Some(Place::in_region(Region::parse(region).unwrap()))
}

/// Opens an organisation of the policy that allows `eu` alone.
fn opened(scene: &Scene, residence: Residence) -> Result<(), Error> {
    let mut ports = scene.ports();
    (ports.retention, ports.residence) = (policy(HOST), residence);
    Vouchsafe::open_with(ports).organisation("acme").map(drop)
}

/// Promise: WB-8-transfers
#[test]
fn a_store_outside_the_allowed_regions_is_refused_without_a_named_safeguard() {
    let scene = Scene::new();
    let home = || Residence { database: place("eu"), key_states: place("eu"), log: place("eu") };
    opened(&scene, home()).unwrap();
    let away = [
        (Stored::Database, Residence { database: place("us"), ..home() }),
        (Stored::KeyStates, Residence { key_states: place("us"), ..home() }),
        (Stored::Log, Residence { log: place("us"), ..home() }),
    ];
    for (stored, residence) in away {
        match opened(&scene, residence) {
            Err(Error::OutsideRegions(which)) => assert_eq!(which, stored),
            other => panic!("{other:?}"),
        }
    }
    let clauses = Safeguard::parse("scc: 2021/914 of 4 June 2021").unwrap();
    let safeguarded = place("us").map(|place| place.safeguarded_by(clauses));
    let residence = Residence { database: safeguarded, ..home() };
    opened(&scene, residence.clone()).unwrap();
    let inventory = DataInventory::of_places(&policy(HOST), &residence);
    assert!(inventory.to_markdown().contains("- database: us (scc: 2021/914 of 4 June 2021)\n"));
    assert!(inventory.to_markdown().contains("- log: eu\n"));
}

/// Promise: WB-8-transfers
#[test]
fn a_policy_that_names_regions_wants_to_know_where_everything_lies() {
    let scene = Scene::new();
    for (stored, residence) in [
        (Stored::Database, Residence::default()),
        (Stored::KeyStates, Residence { database: place("eu"), ..Residence::default() }),
        (Stored::Log, Residence { database: place("eu"), key_states: place("eu"), log: None }),
    ] {
        match opened(&scene, residence) {
            Err(Error::ResidenceUndeclared(which)) => assert_eq!(which, stored),
            other => panic!("{other:?}"),
        }
    }
    assert!(!scene.dir.path().join("keys/state/acme.state").exists(), "nothing was provisioned");
    scene.service.organisation("acme").unwrap();
    let inventory = DataInventory::of(&policy(HOST));
    assert!(inventory.to_markdown().contains("- database: not declared\n"));
}
