use vouchsafe_envelope::port::KeyHandle;

/// What a wrap is bound to: the handle, and what the caller binds.
///
/// `"vouchsafe key wrap v1" || 0x00 || length of the organisation (1) || organisation || generation (8) || context`.
pub(crate) fn wrap_context(handle: &KeyHandle, context: &[u8]) -> Vec<u8> {
    [b"vouchsafe key wrap v1\0".to_vec(), handle_bytes(handle), context.to_vec()].concat()
}

/// `length of the organisation (1) || organisation || generation (8)`, big-endian.
pub(crate) fn handle_bytes(handle: &KeyHandle) -> Vec<u8> {
    let organisation = handle.organisation().as_str().as_bytes();
    [[organisation_len(handle)].as_slice(), organisation, &handle.generation().to_be_bytes()].concat()
}

/// The length of an organisation's id, 1 to 64.
pub(crate) fn organisation_len(handle: &KeyHandle) -> u8 {
    u8::try_from(handle.organisation().as_str().len()).unwrap_or(u8::MAX)
}
