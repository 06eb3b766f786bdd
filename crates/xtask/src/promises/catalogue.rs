use serde::Deserialize;

use crate::{Result, workspace::Workspace};

const FILE: &str = "crates/vouchsafe/docs/promises.toml";

/// The list of promises, in its order.
#[derive(Debug, Deserialize)]
pub(super) struct Catalogue {
    #[serde(rename = "promise")]
    pub(super) promises: Vec<Promise>,
}

/// One promise of a notice.
#[derive(Debug, Deserialize)]
pub(super) struct Promise {
    pub(super) id: String,
    pub(super) kind: String,
    pub(super) says: String,
}

impl Catalogue {
    pub(super) fn read(workspace: &Workspace) -> Result<Self> {
        Ok(toml::from_str(&workspace.read(FILE)?).map_err(|error| format!("{FILE}: {error}"))?)
    }

    pub(super) fn knows(&self, id: &str) -> bool {
        self.promises.iter().any(|promise| promise.id == id)
    }
}
