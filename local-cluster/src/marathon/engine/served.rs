//! What the load balancer knows of the apps.

use tokio::sync::watch;

use super::Engine;
use crate::balancer::{Served, ServedTask};

impl Engine {
    /// Tells the load balancer, if anything is different for it.
    pub(super) fn tell_balancer(&self, balancer: &watch::Sender<Vec<Served>>) {
        let now = self.served();
        balancer.send_if_modified(|known| {
            let different = *known != now;
            if different {
                *known = now;
            }
            different
        });
    }

    fn served(&self) -> Vec<Served> {
        let has = |name: &&String| name.starts_with("HAPROXY_");
        let apps = self.apps.values().filter(|app| app.labels.keys().any(|name| has(&name)));
        apps.map(|app| Served {
            id: app.id.to_string(),
            labels: app.labels.clone(),
            instances: app.instances,
            checked: !app.health_checks.is_empty(),
            service_ports: app.service_ports(),
            tasks: self
                .of(&app.id)
                .filter(|instance| instance.is_running())
                .filter_map(|instance| {
                    let task = instance.task.as_ref()?;
                    let healthy = instance.is_healthy();
                    Some(ServedTask { id: task.id.clone(), ports: task.ports.clone(), healthy })
                })
                .collect(),
        })
        .collect()
    }
}
