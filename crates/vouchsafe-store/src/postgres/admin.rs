//! Statements beside the port, for tests.
use tokio_postgres::SimpleQueryMessage;

use super::link::{Link, Server};
use super::{PostgresConfig, error};
use crate::StoreError;

/// A connection that runs what it is given.
pub(crate) struct Admin {
    pub(super) server: Server,
    pub(super) link: Link,
}

impl Admin {
    pub(crate) fn of(config: &PostgresConfig) -> Result<Self, StoreError> {
        let server = Server::of(config)?;
        let link = server.connect()?;
        Ok(Self { server, link })
    }

    pub(crate) fn run(&self, sql: &str) -> Result<(), StoreError> {
        self.execute(sql).map(drop)
    }

    /// Returns: how many rows were changed.
    pub(crate) fn execute(&self, sql: &str) -> Result<u64, StoreError> {
        let said = self.said(sql)?;
        Ok(said
            .iter()
            .map(|message| match message {
                SimpleQueryMessage::CommandComplete(changed) => *changed,
                _ => 0,
            })
            .sum())
    }

    /// Runs a statement for which the client has ten times the patience, and the server no bound.
    pub(crate) fn patiently(&self, sql: &str) -> Result<(), StoreError> {
        self.run("SET statement_timeout = 0; SET lock_timeout = 0")?;
        self.link.driver.wait(self.server.bounds.answer() * 30, async {
            self.link.client.batch_execute(sql).await.map_err(error::statement)
        })
    }

    /// The rows, each column as text.
    pub(crate) fn look(&self, sql: &str) -> Result<Vec<Vec<Option<String>>>, StoreError> {
        let rows = self.said(sql)?.into_iter().filter_map(|message| match message {
            SimpleQueryMessage::Row(row) => {
                Some((0..row.len()).map(|at| row.get(at).map(str::to_owned)).collect())
            }
            _ => None,
        });
        Ok(rows.collect())
    }

    fn said(&self, sql: &str) -> Result<Vec<SimpleQueryMessage>, StoreError> {
        self.link.driver.wait(self.server.bounds.answer(), async {
            self.link.client.simple_query(sql).await.map_err(error::statement)
        })
    }
}
