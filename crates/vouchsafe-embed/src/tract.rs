//! The five graphs in tract, a pure-Rust engine, one thread a call.

use std::sync::Arc;
use std::thread;

use tract_onnx::Onnx;
use tract_onnx::prelude::{
    DatumType, Framework, InferenceFact, InferenceModelExt, IntoRunnable, IntoTensor, TValue, Tensor,
    TractResult, TypedRunnableModel, tvec,
};
use zeroize::{Zeroize, Zeroizing};

use crate::port::{Inference, Outputs};
use crate::stack::wipe_deep_stack;
use crate::{EmbedError, Graphs, ModelRole, ModelSet};

mod prelu;

/// Loads all models, two at a time.
pub(crate) fn load(models: &ModelSet) -> Result<Graphs, EmbedError> {
    // The feature model takes as long to optimise as the other four together.
    let (feature, rest) = thread::scope(|scope| {
        let feature = scope.spawn(|| graph(models, ModelRole::Feature));
        let rest = || {
            let [detect, eye, landmark, liveness] =
                [ModelRole::Detect, ModelRole::Eye, ModelRole::Landmark, ModelRole::Liveness];
            Ok([
                graph(models, detect)?,
                graph(models, eye)?,
                graph(models, landmark)?,
                graph(models, liveness)?,
            ])
        };
        let rest = rest();
        (feature.join(), rest)
    });
    let feature = feature.map_err(|_| EmbedError::ModelGraph { model: ModelRole::Feature })??;
    let [detect, eye, landmark, liveness] = rest?;
    Ok(Graphs { detect, eye, feature, landmark, liveness })
}

fn graph(models: &ModelSet, role: ModelRole) -> Result<Box<dyn Inference>, EmbedError> {
    let mut onnx = tract_onnx::onnx();
    onnx.op_register.insert("PRelu", prelu::build);
    let plan =
        plan(&onnx, models.bytes_of(role), role).map_err(|_| EmbedError::ModelGraph { model: role })?;
    Ok(Box::new(TractGraph { plan, role }))
}

/// A concrete, optimised plan of fixed shapes.
fn plan(onnx: &Onnx, bytes: &[u8], role: ModelRole) -> TractResult<Arc<TypedRunnableModel>> {
    let input = InferenceFact::dt_shape(DatumType::F32, role.input_shape());
    onnx.model_for_read(&mut &*bytes)?.with_input_fact(0, input)?.into_optimized()?.into_runnable()
}

struct TractGraph {
    plan: Arc<TypedRunnableModel>,
    role: ModelRole,
}

impl Inference for TractGraph {
    /// The copies of input and outputs made here are wiped; tract frees its intermediate tensors as they are.
    ///
    /// Each run has a thread of its own: tract keeps packed copies of tensors in buffers of the thread, until
    /// another run overwrites them or the thread ends.
    fn run(&self, input: &[f32]) -> Result<Outputs, EmbedError> {
        if input.len() != self.role.input_len() {
            return Err(EmbedError::InputSize { model: self.role });
        }
        let run = || {
            let outputs = self.run_checked(input);
            wipe_deep_stack();
            outputs
        };
        let outputs = thread::scope(|scope| {
            let thread = thread::Builder::new().spawn_scoped(scope, run).ok()?;
            thread.join().ok()?.ok()
        });
        outputs.ok_or(EmbedError::Engine { model: self.role })
    }
}

impl TractGraph {
    // Never inlined: its frames lie below the caller's, who wipes them.
    #[inline(never)]
    fn run_checked(&self, input: &[f32]) -> TractResult<Outputs> {
        let input = Arc::new(Tensor::from_shape(&self.role.input_shape(), input)?);
        let outputs = self.plan.run(tvec!(TValue::from_const(Arc::clone(&input))));
        // Ours again, now that the run is over: wiped in place, also when it failed.
        wipe(input.into_tensor());
        outputs?.into_iter().map(take).collect::<TractResult<_>>().map(Outputs::new)
    }
}

fn take(output: TValue) -> TractResult<Zeroizing<Vec<f32>>> {
    let tensor = output.into_tensor();
    let copy = Zeroizing::new(tensor.try_as_plain_ram()?.as_slice::<f32>()?.to_vec());
    wipe(tensor);
    Ok(copy)
}

fn wipe(mut tensor: Tensor) {
    if let Ok(mut view) = tensor.try_as_plain_ram_mut()
        && let Ok(values) = view.as_slice_mut::<f32>()
    {
        values.zeroize();
    }
}

#[cfg(all(test, feature = "bundled-models"))]
mod tests {
    use super::*;

    /// The same graphs with and without the crate's own operator.
    #[test]
    fn the_fused_operator_changes_no_bit() -> TractResult<()> {
        let models = ModelSet::bundled().unwrap();
        for role in [ModelRole::Feature, ModelRole::Liveness] {
            let input: Vec<f32> =
                (0u16..).take(role.input_len()).map(|i| f32::from(i % 251) / 128.0 - 1.0).collect();
            let plain = plan(&tract_onnx::onnx(), models.bytes_of(role), role)?;
            let plain = TractGraph { plan: plain, role }.run(&input);
            let fused = graph(&models, role).and_then(|graph| graph.run(&input));
            let bits = |outputs: Result<Outputs, EmbedError>| {
                outputs
                    .map(|outputs| outputs.expose_output(0).iter().map(|v| v.to_bits()).collect::<Vec<_>>())
            };
            let (plain, fused) = (bits(plain), bits(fused));
            assert!(plain.is_ok(), "{role}");
            assert_eq!(plain, fused, "{role}");
        }
        Ok(())
    }
}
