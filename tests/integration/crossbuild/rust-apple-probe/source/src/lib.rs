use objc2_foundation::{NSProcessInfo, NSString, NSURL};
use pyo3::exceptions::PyOSError;
use pyo3::prelude::*;
use security_framework::item::{ItemClass, ItemSearchOptions, Limit, SearchResult};
use security_framework::passwords::{get_generic_password, set_generic_password};
use security_framework::random::SecRandom;

/// Random bytes of Security's.
#[pyfunction]
fn random(count: usize) -> PyResult<Vec<u8>> {
    let mut bytes = vec![0; count];
    SecRandom::default()
        .copy_bytes(&mut bytes)
        .map_err(|error| PyOSError::new_err(error.to_string()))?;
    Ok(bytes)
}

/// A password of the keychain's, stored first.
#[pyfunction]
fn password(service: &str, account: &str, secret: &[u8]) -> PyResult<Vec<u8>> {
    let failed = |error: security_framework::base::Error| PyOSError::new_err(error.to_string());
    set_generic_password(service, account, secret).map_err(failed)?;
    get_generic_password(service, account).map_err(failed)
}

/// How many certificates the keychain has.
#[pyfunction]
fn certificates() -> usize {
    let found: Result<Vec<SearchResult>, _> =
        ItemSearchOptions::new().class(ItemClass::certificate()).limit(Limit::All).search();
    found.map_or(0, |all| all.len())
}

/// What Foundation makes of an address, and of the process.
#[pyfunction]
fn host(url: &str) -> (Option<String>, String) {
    let url = NSURL::URLWithString(&NSString::from_str(url));
    let name = NSProcessInfo::processInfo().processName();
    (url.and_then(|url| url.host()).map(|host| host.to_string()), name.to_string())
}

#[pymodule]
fn rust_apple_probe(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(random, module)?)?;
    module.add_function(wrap_pyfunction!(password, module)?)?;
    module.add_function(wrap_pyfunction!(certificates, module)?)?;
    module.add_function(wrap_pyfunction!(host, module)?)
}
