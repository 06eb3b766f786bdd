//! The runtime that drives a connection, and the boundary to whatever runtime the caller has.
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::oneshot;
use tokio::task::yield_now;

use crate::StoreError;

/// Moves the bytes of one connection on the thread of whoever waits for them: nobody has to be woken for an answer.
#[derive(Debug)]
pub(super) struct Driver(Option<Runtime>);

impl Driver {
    pub(super) fn start() -> Result<Self, StoreError> {
        let runtime = Builder::new_current_thread().enable_io().enable_time().build();
        runtime.map(|runtime| Self(Some(runtime))).map_err(|_| StoreError::Io)
    }

    /// Blocks this thread until the future is done, or for so long; [`StoreError::Io`] then.
    pub(super) fn wait<T>(
        &self,
        most: Duration,
        future: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let runtime = self.0.as_ref().ok_or(StoreError::Io)?;
        runtime.block_on(async { tokio::time::timeout(most, future).await }).unwrap_or(Err(StoreError::Io))
    }

    /// Sends what the future has to send, and does not wait for an answer.
    pub(super) fn send<T>(&self, future: impl Future<Output = T>) {
        if let Some(runtime) = &self.0 {
            runtime.block_on(async {
                let mut future = pin!(future);
                poll_fn(|context| {
                    let _ = future.as_mut().poll(context);
                    Poll::Ready(())
                })
                .await;
                yield_now().await;
            });
        }
    }

    /// Hears what the server said while nobody listened: that it closed the connection.
    pub(super) fn listen(&self) {
        self.send(async {});
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            // Waits for nothing: the store may be dropped inside another runtime.
            runtime.shutdown_background();
        }
    }
}

/// Refuses a caller whose thread serves an asynchronous runtime; a thread of its blocking pool is welcome.
pub(super) fn ensure_outside() -> Result<(), StoreError> {
    if Handle::try_current().is_err() {
        return Ok(());
    }
    // The answer is there already. Where blocking is forbidden, tokio panics instead of reading it.
    let probe = catch_unwind(AssertUnwindSafe(|| {
        let (answer, question) = oneshot::channel();
        answer.send(()).is_ok() && question.blocking_recv().is_ok()
    }));
    if probe.is_ok() { Ok(()) } else { Err(StoreError::InsideRuntime) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_thread_that_may_block_is_outside() {
        assert_eq!(ensure_outside(), Ok(()), "a plain thread");
        for runtime in [
            Builder::new_current_thread().build().unwrap(),
            Builder::new_multi_thread().worker_threads(1).build().unwrap(),
        ] {
            let inside = runtime.block_on(async { ensure_outside() });
            assert_eq!(inside, Err(StoreError::InsideRuntime), "the root of the runtime");
            let inside = runtime.block_on(async { tokio::spawn(async { ensure_outside() }).await }).unwrap();
            assert_eq!(inside, Err(StoreError::InsideRuntime), "a task");
            let outside = runtime.block_on(async { tokio::task::spawn_blocking(ensure_outside).await });
            assert_eq!(outside.unwrap(), Ok(()), "a thread of the blocking pool");
            let _entered = runtime.enter();
            assert_eq!(ensure_outside(), Ok(()), "a plain thread that only knows the runtime");
        }
        assert_eq!(ensure_outside(), Ok(()));
    }

    #[test]
    fn waiting_is_bounded_and_dropping_inside_a_runtime_is_allowed() {
        let driver = Driver::start().unwrap();
        let waited: Result<(), _> = driver.wait(Duration::from_millis(20), std::future::pending());
        assert_eq!(waited, Err(StoreError::Io));
        let runtime = Builder::new_current_thread().build().unwrap();
        runtime.block_on(async { drop(driver) });
    }
}
