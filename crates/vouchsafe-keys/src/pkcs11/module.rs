//! The modules that this process has loaded, and the tokens that it uses.
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use cryptoki::context::{CInitializeArgs, Pkcs11 as Context};
use cryptoki::error::{Error, RvError};
use cryptoki::slot::{Slot, TokenInfo};

use super::TokenName;
use super::token::Token;
use crate::KeysError;

/// A module is initialised once a process (PKCS#11 2.40, section 5.4), and stays loaded while a token is used.
static MODULES: Mutex<BTreeMap<PathBuf, Arc<Module>>> = Mutex::new(BTreeMap::new());

/// A loaded module.
#[derive(Debug)]
pub(super) struct Module {
    context: Context,
    /// Something else in this process initialised it, and would lose it if this were dropped.
    foreign: bool,
    /// By serial number. A login counts for the whole process, so each token has one PIN and one queue.
    tokens: Mutex<BTreeMap<String, Weak<Token>>>,
}

impl Module {
    /// The module of this path, loaded and initialised when it is not yet.
    pub(super) fn load(path: &Path) -> Result<Arc<Self>, KeysError> {
        let path = std::fs::canonicalize(path).map_err(|_| KeysError::Module)?;
        let mut modules = lock(&MODULES);
        if let Some(module) = modules.get(&path) {
            return Ok(module.clone());
        }
        let context = Context::new(&path).map_err(|_| KeysError::Module)?;
        let foreign = match context.initialize(CInitializeArgs::OsThreads) {
            Ok(()) => false,
            Err(Error::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) => true,
            Err(_) => return Err(KeysError::Module),
        };
        let module = Arc::new(Self { context, foreign, tokens: Mutex::default() });
        modules.insert(path, module.clone());
        Ok(module)
    }

    /// Unloads a module that no token is used of: some see only the tokens that were there when they were loaded.
    pub(super) fn unload(self: Arc<Self>) {
        let mut modules = lock(&MODULES);
        let (path, own) = (modules.iter().find(|(_, module)| Arc::ptr_eq(module, &self)), 2);
        // The registry and this call have one each; a token in use has another.
        if let Some(path) = path.map(|(path, _)| path.clone())
            && Arc::strong_count(&self) == own
            && !self.foreign
        {
            modules.remove(&path);
        }
        // Finalised before another call can load it again.
        drop(self);
    }

    pub(super) const fn context(&self) -> &Context {
        &self.context
    }

    /// The one token of this name that is plugged in and initialised.
    pub(super) fn find(&self, name: &TokenName) -> Result<(Slot, TokenInfo), KeysError> {
        let slots = self.context.get_slots_with_token().map_err(|_| KeysError::Unavailable)?;
        // A slot that does not answer is not the one that was asked for.
        let infos =
            slots.into_iter().filter_map(|slot| Some((slot, self.context.get_token_info(slot).ok()?)));
        let mut found = infos.filter(|(_, info)| info.token_initialized() && name.is_of(info));
        match (found.next(), found.next()) {
            (Some(one), None) => Ok(one),
            _ => Err(KeysError::Token),
        }
    }

    /// The token of this serial number that is in use, or the one that `make` gives.
    pub(super) fn share(
        &self,
        serial: &str,
        make: impl FnOnce(Option<Arc<Token>>) -> Result<Arc<Token>, KeysError>,
    ) -> Result<Arc<Token>, KeysError> {
        let mut tokens = lock(&self.tokens);
        let token = make(tokens.get(serial).and_then(Weak::upgrade))?;
        tokens.insert(serial.to_owned(), Arc::downgrade(&token));
        Ok(token)
    }
}

/// What these locks guard is whole between any two statements.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
