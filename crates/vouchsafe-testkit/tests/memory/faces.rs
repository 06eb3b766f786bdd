//! What the face path makes of a picture, computed in this process by an engine that keeps everything.

use std::path::Path;
use std::sync::{Arc, Mutex};

use tract_onnx::prelude::{
    DatumType, Framework, InferenceFact, InferenceModelExt, IntoRunnable, IntoTValue, TValue, Tensor,
    TractResult, TypedRunnableModel, tvec,
};
use tract_onnx::tract_core::plan::eval;
use vouchsafe::embed::{
    EmbedError, FaceScene, Graphs, Inference, Judge, Judgement, ModelRole, Outputs, danger,
};
use vouchsafe::liveness::PassiveJudge;
use vouchsafe::template::{TemplateKey, protect};
use vouchsafe::{Consented, FaceEngine, Image, Limits, ModelSet, Permit, Ports, Scope, Vouchsafe};
use vouchsafe_consent::danger::evaluation_permit;
use vouchsafe_testkit::scene;
use vouchsafe_types::Modality;

use crate::secrets::Secrets;

/// Windows of a whole picture.
const PICTURE: usize = 16_384;
/// Windows of a crop or of a model's input or output.
const INPUT: usize = 2048;
/// Windows of one tensor inside a model.
const INSIDE: usize = 16;

/// One person's service in this process, over the same models as the child's.
pub(crate) struct Faces {
    service: Vouchsafe,
    engine: Arc<FaceEngine>,
    /// The crate's own engine, as the child has it.
    own: FaceEngine,
    kept: Kept,
    _folder: tempfile::TempDir,
}

impl Faces {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let kept = Kept::default();
        let models = ModelSet::bundled().unwrap();
        let load = |role| Box::new(Keeping::load(&models, role, &kept).unwrap());
        let graphs = Graphs {
            detect: load(ModelRole::Detect),
            eye: load(ModelRole::Eye),
            feature: load(ModelRole::Feature),
            landmark: load(ModelRole::Landmark),
            liveness: load(ModelRole::Liveness),
        };
        let engine = Arc::new(FaceEngine::from_graphs(graphs, models.digest_of(ModelRole::Feature)));
        let mut ports = Ports::in_folder(folder.path()).unwrap().with_engine(Arc::clone(&engine));
        ports.judge = Arc::new(KeepingJudge(PassiveJudge::default(), Arc::clone(&kept)));
        let own = FaceEngine::load(&models).unwrap();
        Self { service: Vouchsafe::open_with(ports), engine, own, kept, _folder: folder }
    }

    /// Adds what capture, embedding and protection make of a picture.
    pub(crate) fn add(&self, secrets: &mut Secrets, picture: &Path, key: &TemplateKey) {
        let name = picture.file_stem().unwrap().to_str().unwrap();
        let file = std::fs::read(picture).unwrap();
        // The tables before the last scan are those of many files.
        let scan = file.windows(2).rposition(|marker| marker == [0xff, 0xda]).unwrap();
        secrets.bytes(&format!("{name} file"), &file[scan..], PICTURE);
        let rgb = image::load_from_memory(&file).unwrap().into_rgb8().into_raw();
        secrets.bytes(&format!("{name} frame/rgb"), &rgb, PICTURE);
        secrets.bytes(&format!("{name} frame/bgr"), &reversed(&rgb), PICTURE);

        let permit = self.permit();
        self.kept.lock().unwrap().clear();
        let decode = || Image::decode(&file, &Limits::default()).unwrap();
        let face = self.service.capture(&permit, decode()).unwrap().or_refuse().unwrap();
        let embedding = self.engine.embed(&permit, face, jiff::Timestamp::now()).unwrap();
        for (kind, what, values) in self.kept.lock().unwrap().drain(..) {
            let name = format!("{name} {kind} {what}");
            match kind {
                "inside" => secrets.tensor(&name, &values, INSIDE),
                "points" => secrets.points(&name, &values),
                _ => secrets.tensor(&name, &values, INPUT),
            }
        }
        secrets.vector(&format!("{name} embedding"), embedding.expose_embedding());
        let crop = self.crop_of(&decode(), embedding.expose_embedding());
        secrets.bytes(&format!("{name} crop/bgr"), &crop, INPUT);
        secrets.bytes(&format!("{name} crop/rgb"), &reversed(&crop), INPUT);
        let protected = protect(key, embedding).into_reference().to_bytes();
        secrets.vector(&format!("{name} protected"), &components(protected.expose_secret()));
    }

    /// The aligned crop, from another engine and around the session; both ways give the same embedding.
    fn crop_of(&self, image: &Image, embedding: &[f32; 512]) -> Vec<u8> {
        let permit = evaluation_permit(Modality::Face).unwrap();
        let evaluated = danger::evaluate(&self.own, &permit, image).unwrap().unwrap();
        let bits = |values: &[f32; 512]| values.map(f32::to_bits);
        assert_eq!(bits(evaluated.embedding().expose_embedding()), bits(embedding), "the same bits");
        evaluated.expose_crop().to_vec()
    }

    fn permit(&self) -> Permit<Consented> {
        let organisation = self.service.organisation("mirror").unwrap();
        let notice = scene::notice(&organisation).unwrap();
        let person = organisation.subject("1").unwrap();
        scene::give(&person, Scope::FACE_VERIFICATION, &notice).unwrap();
        person.permit(Scope::FACE_VERIFICATION).unwrap().or_refuse().unwrap()
    }
}

/// The vector of an encoded reference.
pub(crate) fn components(reference: &[u8]) -> [f32; 512] {
    let values = reference[37..].as_chunks::<4>().0.iter().map(|&bytes| f32::from_le_bytes(bytes));
    values.collect::<Vec<_>>().try_into().unwrap()
}

fn reversed(rgb: &[u8]) -> Vec<u8> {
    rgb.as_chunks::<3>().0.iter().flat_map(|&[r, g, b]| [b, g, r]).collect()
}

/// Kind, what it is of, and values, in the order in which they were made.
type Kept = Arc<Mutex<Vec<(&'static str, &'static str, Vec<f32>)>>>;

/// A graph that keeps input, outputs and every tensor in between.
struct Keeping {
    plan: Arc<TypedRunnableModel>,
    role: ModelRole,
    kept: Kept,
}

impl Keeping {
    fn load(models: &ModelSet, role: ModelRole, kept: &Kept) -> TractResult<Self> {
        let fact = InferenceFact::dt_shape(DatumType::F32, role.input_shape());
        let model = tract_onnx::onnx().model_for_read(&mut models.bytes_of(role))?;
        let plan = model.with_input_fact(0, fact)?.into_optimized()?.into_runnable()?;
        Ok(Self { plan, role, kept: Arc::clone(kept) })
    }

    fn keep(&self, kind: &'static str, values: &[f32]) {
        self.kept.lock().unwrap().push((kind, self.role.name(), values.to_vec()));
    }

    fn run_kept(&self, input: &[f32]) -> TractResult<Outputs> {
        let input = Tensor::from_shape(&self.role.input_shape(), input)?.into_tvalue();
        let mut state = self.plan.spawn()?;
        let outputs = state.run_plan_with_eval(tvec!(input), |context, op, node, inputs| {
            let outputs = eval(context, op, node, inputs)?;
            // Shapes and indices are no f32.
            for values in outputs.iter().filter_map(|output| floats(output).ok()) {
                self.keep("inside", &values);
            }
            TractResult::Ok(outputs)
        })?;
        let copy = |output: &TValue| floats(output).map(Into::into);
        outputs.iter().map(copy).collect::<TractResult<_>>().map(Outputs::new)
    }
}

fn floats(tensor: &Tensor) -> TractResult<Vec<f32>> {
    Ok(tensor.try_as_plain_ram()?.as_slice::<f32>()?.to_vec())
}

impl Inference for Keeping {
    fn run(&self, input: &[f32]) -> Result<Outputs, EmbedError> {
        self.keep("input", input);
        let outputs = self.run_kept(input).map_err(|_| EmbedError::Engine { model: self.role })?;
        for at in 0..2 {
            self.keep("output", outputs.expose_output(at));
        }
        Ok(outputs)
    }
}

/// The child's judge, which sees points and box.
struct KeepingJudge(PassiveJudge, Kept);

impl Judge for KeepingJudge {
    fn judge(&self, scene: &FaceScene<'_>) -> Result<Judgement, EmbedError> {
        self.1.lock().unwrap().extend([
            ("points", "landmarks", scene.expose_landmarks().concat()),
            ("points", "box", scene.face().corners().to_vec()),
        ]);
        self.0.judge(scene)
    }
}
