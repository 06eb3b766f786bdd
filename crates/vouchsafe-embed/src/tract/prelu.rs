//! One operator for ONNX `PRelu` (operator set 16): `x` where `x > 0`, else `x` times its channel's slope.
//!
//! tract takes `PRelu` apart into a product, a comparison and a choice, each a scalar pass over a new tensor;
//! that was more than half of the time of the face model. Here it is one pass in place.

use std::sync::Arc;

use tract_onnx::model::ParsingContext;
use tract_onnx::pb::NodeProto;
use tract_onnx::tract_hir::internal::*;

mod kernel;

/// Builds the operator for the ONNX loader.
pub(super) fn build(
    _context: &ParsingContext<'_>,
    _node: &NodeProto,
) -> TractResult<(Box<dyn InferenceOp>, Vec<String>)> {
    Ok((expand(OnnxPRelu), vec![]))
}

/// The operator as the file has it: input and slope.
#[derive(Debug, Clone)]
struct OnnxPRelu;

impl Expansion for OnnxPRelu {
    fn name(&self) -> StaticName {
        "PRelu".into()
    }

    fn rules<'r, 'p: 'r, 's: 'r>(
        &'s self,
        solver: &mut Solver<'r>,
        inputs: &'p [TensorProxy],
        outputs: &'p [TensorProxy],
    ) -> InferenceResult {
        check_input_arity(inputs, 2)?;
        check_output_arity(outputs, 1)?;
        if let ([input, ..], [output]) = (inputs, outputs) {
            solver.equals(&input.datum_type, &output.datum_type)?;
            solver.equals(&input.shape, &output.shape)?;
        }
        Ok(())
    }

    fn wire(&self, name: &str, model: &mut TypedModel, inputs: &[OutletId]) -> TractResult<TVec<OutletId>> {
        let &[input, slope] = inputs else { bail!("PRelu takes two inputs") };
        let Some(slopes) = model.outlet_fact(slope)?.konst.clone() else { bail!("slopes are not constant") };
        let fact = model.outlet_fact(input)?;
        let [_, channels, ..] = fact.shape.as_concrete().unwrap_or(&[]) else { bail!("shape is not known") };
        if fact.datum_type != f32::datum_type() || !one_a_channel(slopes.shape(), *channels, fact.rank()) {
            bail!("slopes are not one for each channel");
        }
        model.wire_node(name, PRelu { slopes }, &[input])
    }
}

/// Whether the slopes' shape, aligned to the right as ONNX broadcasts, is `[channels, 1, 1, ..]`.
fn one_a_channel(slopes: &[usize], channels: usize, rank: usize) -> bool {
    let padded = std::iter::repeat_n(1, rank.saturating_sub(slopes.len())).chain(slopes.iter().copied());
    slopes.len() <= rank
        && padded.enumerate().all(|(axis, size)| size == if axis == 1 { channels } else { 1 })
}

/// The operator as it runs: slopes are part of it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct PRelu {
    // INVARIANT (one a channel): as many f32 as the input has channels (axis 1).
    slopes: Arc<Tensor>,
}

impl Op for PRelu {
    fn name(&self) -> StaticName {
        "PRelu".into()
    }

    op_as_typed_op!();
}

impl EvalOp for PRelu {
    op_out_of_plan!();

    fn eval(&self, _context: &EvalContext<'_>, inputs: TVec<TValue>) -> TractResult<TVec<TValue>> {
        let mut tensor = args_1!(inputs).into_tensor();
        let slopes = self.slopes.try_as_plain_ram()?.as_slice::<f32>()?;
        let plane: usize = tensor.shape().iter().skip(2).product();
        let mut view = tensor.try_as_plain_ram_mut()?;
        let values = view.as_slice_mut::<f32>()?;
        if plane > 0 {
            for (plane, slope) in values.chunks_exact_mut(plane).zip(slopes.iter().cycle()) {
                kernel::prelu(plane, *slope);
            }
        }
        Ok(tvec!(tensor.into_tvalue()))
    }
}

impl TypedOp for PRelu {
    fn output_facts(&self, inputs: &[&TypedFact]) -> TractResult<TVec<TypedFact>> {
        let [input] = inputs else { bail!("PRelu takes one input") };
        Ok(tvec!(f32::fact(input.shape.clone())))
    }

    as_op!();
}
