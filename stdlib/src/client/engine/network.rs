//! Networks in which containers know each other by name.

use std::collections::HashMap;

use bollard::{models::NetworkCreateRequest, query_parameters::ListNetworksOptionsBuilder};

use super::{Engine, Labelled, Refusal};
use crate::core::Failure;

impl Engine {
    /// Makes a network of this machine.
    ///
    /// # Errors
    ///
    /// When the engine does not answer.
    pub async fn create_network(
        &self,
        name: &str,
        labels: &[(String, String)],
    ) -> Result<Result<(), Refusal>, Failure> {
        let request = NetworkCreateRequest {
            name: name.to_owned(),
            driver: Some("bridge".to_owned()),
            labels: Some(labels.iter().cloned().collect()),
            ..NetworkCreateRequest::default()
        };
        Ok(self.answer(self.docker.create_network(request).await)?.map(|_| ()))
    }

    /// Removes a network, unless containers are in it: then the answer is no.
    ///
    /// # Errors
    ///
    /// When the engine does not answer.
    pub async fn remove_network(&self, name: &str) -> Result<bool, Failure> {
        match self.answer(self.docker.remove_network(name).await)? {
            Ok(()) => Ok(true),
            Err(refusal) if refusal.status == 404 => Ok(true),
            Err(refusal) if refusal.says(&["active endpoints"]) => Ok(false),
            Err(refusal) => Err(self.failed_inside(&refusal.text)),
        }
    }

    /// The networks with a label; `label` is `name` or `name=value`.
    ///
    /// # Errors
    ///
    /// When the engine does not answer.
    pub async fn networks(&self, label: &str) -> Result<Vec<Labelled>, Failure> {
        let filters = HashMap::from([("label", vec![label])]);
        let options = ListNetworksOptionsBuilder::new().filters(&filters).build();
        let found = self.docker.list_networks(Some(options)).await;
        let found = found.map_err(|error| self.broken(&error))?;
        let all = found.into_iter().map(|found| Labelled {
            id: found.id.unwrap_or_default(),
            name: found.name.unwrap_or_default(),
            labels: found.labels.unwrap_or_default(),
        });
        Ok(all.collect())
    }

    /// Whether the engine runs without root, so that a container's root is the user who runs it.
    ///
    /// # Errors
    ///
    /// When the engine does not answer.
    pub async fn is_rootless(&self) -> Result<bool, Failure> {
        let info = self.docker.info().await.map_err(|error| self.broken(&error))?;
        let options = info.security_options.unwrap_or_default();
        Ok(options.iter().any(|option| option == "name=rootless"))
    }
}
