//! `ci.trigger`

use super::jenkins;
use crate::core::{Arguments, Failure, Value, World, builtin};

builtin! {
    fact ci.trigger, trigger;
    "
    # Why the build was started; null where the CI server does not tell.
    #
    # Jenkins tells of changes (`CHANGE_ID`) and tags (`TAG_NAME`). Of the rest it tells only when a
    # job gives it on as `BUILD_CAUSE`, as the plugin EnvInject does, or in a Jenkinsfile:
    # `withEnv([\"BUILD_CAUSE=${currentBuild.buildCauses[0]._class}\"])`.
    -> (\"push\" | \"change\" | \"tag\" | \"timer\" | \"upstream\" | \"manual\")?
    "
    examples: [r#"ci.trigger == "timer""#]
}

fn trigger(world: &World, _: &Arguments) -> Result<Value, Failure> {
    let set = |name: &str| jenkins::of_build(world, name).is_some();
    if set("CHANGE_ID") {
        return Ok("change".into());
    }
    if set("TAG_NAME") {
        return Ok("tag".into());
    }
    // The word of EnvInject (`TIMERTRIGGER`) or the class of the cause
    // (`hudson.triggers.TimerTrigger$TimerTriggerCause`); of several the first one that is known.
    let causes = jenkins::of_build(world, "BUILD_CAUSE").unwrap_or("");
    let known = causes.split(',').find_map(|cause| {
        let cause = cause.to_ascii_lowercase();
        [
            ("timertrigger", "timer"),
            ("upstream", "upstream"),
            ("manualtrigger", "manual"),
            ("useridcause", "manual"),
            ("usercause", "manual"),
            ("replay", "manual"),
            ("scmtrigger", "push"),
            ("branchevent", "push"),
            ("branchindexing", "push"),
            ("push", "push"),
        ]
        .into_iter()
        .find(|(part, _)| cause.contains(part))
        .map(|(_, trigger)| trigger)
    });
    Ok(known.into())
}

#[cfg(test)]
mod tests {
    use super::super::jenkins::tests::build;
    use crate::{
        core::{Outcome, Value},
        testing::Machine,
    };

    #[test]
    fn what_the_server_tells() {
        let by = |name: &str, value: &str| -> Outcome {
            build().with(name, value).fact("ci.trigger", &[])
        };
        assert_eq!(by("CHANGE_ID", "17"), Ok("change".into()));
        assert_eq!(by("TAG_NAME", "v1"), Ok("tag".into()));
        assert_eq!(by("BUILD_CAUSE", "TIMERTRIGGER"), Ok("timer".into()));
        assert_eq!(
            by("BUILD_CAUSE", "hudson.triggers.SCMTrigger$SCMTriggerCause"),
            Ok("push".into())
        );
        assert_eq!(by("BUILD_CAUSE", "hudson.model.Cause$UserIdCause"), Ok("manual".into()));
        assert_eq!(by("BUILD_CAUSE", "X,UPSTREAMTRIGGER"), Ok("upstream".into()));
        assert_eq!(by("BUILD_CAUSE", ""), Ok(Value::Null));
        let laptop = Machine::new().with("CHANGE_ID", "17");
        assert_eq!(laptop.fact("ci.trigger", &[]), Ok(Value::Null));
    }
}
