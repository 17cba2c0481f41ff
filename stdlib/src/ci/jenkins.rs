//! A build of Jenkins, by its variables.

use crate::core::World;

/// Whether the run belongs to one. `JENKINS_URL` alone does not tell: it is missing when nobody has
/// set the server's address, and a developer may have set it.
pub(super) fn is_here(world: &World) -> bool {
    let set = |name: &str| variable(world, name).is_some();
    set("BUILD_NUMBER")
        && set("JOB_NAME")
        && ["JENKINS_URL", "JENKINS_HOME", "JENKINS_SERVER_COOKIE"].into_iter().any(set)
}

/// A variable of the build; empty ones are not set.
pub(super) fn variable<'a>(world: &'a World, name: &str) -> Option<&'a str> {
    world.variable(name).filter(|text| !text.is_empty())
}

/// The same, where there is a build.
pub(super) fn of_build<'a>(world: &'a World, name: &str) -> Option<&'a str> {
    if is_here(world) { variable(world, name) } else { None }
}

#[cfg(test)]
pub(super) mod tests {
    use crate::testing::Machine;

    /// A build of a multibranch job.
    pub(in crate::ci) fn build() -> Machine {
        Machine::new()
            .with("JENKINS_URL", "https://ci.example.com/")
            .with("JOB_NAME", "shop/main")
            .with("BUILD_NUMBER", "153")
            .with("BUILD_URL", "https://ci.example.com/job/shop/job/main/153/")
            .with("BRANCH_NAME", "main")
    }

    #[test]
    fn a_variable_alone_is_no_build() {
        let machine = Machine::new().with("JENKINS_URL", "https://ci.example.com/");
        assert_eq!(machine.fact("ci.name", &[]), Ok(crate::core::Value::Null));
    }
}
