//! `time.sleep(for)`

use std::time::Duration;

use crate::core::{Arguments, Call, Outcome, Value, builtin};

builtin! {
    step time.sleep, sleep;
    "
    # Waits. Ends at once when the run is cancelled.
    #
    # To wait until something is so, `http.wait`, or `retry within 5m every 5s` before the check.
    (
      # How long.
      for: duration,
    )
    "
    examples: [r"time.sleep(30s)"]
}

async fn sleep(call: Call<'_>, arguments: Arguments) -> Outcome {
    let time: Duration = arguments.get("for")?;
    call.unless_cancelled(tokio::time::sleep(time)).await?;
    Ok(Value::Null)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::time::{Duration, Instant};

    use crate::{
        core::{FailureKind, Value},
        testing::Machine,
    };

    #[tokio::test]
    async fn it_waits_and_ends_when_cancelled() {
        let started = Instant::now();
        let machine = Machine::new();
        let given = [("for", Value::Duration(Duration::from_millis(50)))];
        machine.step("time.sleep", &given).await.unwrap();
        assert!(started.elapsed() >= Duration::from_millis(50));

        machine.cancel.cancel();
        let given = [("for", Value::Duration(Duration::from_secs(600)))];
        let failure = machine.step("time.sleep", &given).await.unwrap_err();
        assert_eq!(failure.kind, FailureKind::Cancelled);
        assert!(started.elapsed() < Duration::from_secs(60));
    }
}
