//! Adapters that fail on purpose: latency, time-outs, refusals, answers lost after the act, lies.
