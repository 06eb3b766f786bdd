#!/usr/bin/env python3
"""Recomputes the tables of passive-judge.md: the passive rule on real, degraded and SIMULATED pictures.

usage: passive_study.py TOOLS MODELS FACES [PORTRAIT...]

TOOLS holds face_reference.py, MODELS the fr_*.onnx files, FACES the folders verify/ and liveness/{live,attack}/.
PORTRAITs are further bona-fide pictures. Needs onnxruntime, numpy, opencv-python-headless. Fixed seed.
"""
import collections, math, os, sys
import cv2, numpy as np
sys.path.insert(0, sys.argv[1])
import face_reference

TUNED = {"Ariel_Sharon", "George_W_Bush", "John_Salley", "Tony_Blair", "id02", "id06"}
LIVE_FROM, ATTACK_BELOW, LEAST, MOST = .5, .4, .35, 1.5
RNG = np.random.default_rng(7)
REF = face_reference.Reference(sys.argv[2])
NOISE_KERNEL = np.float32([[1, -2, 1], [-2, 4, -2], [1, -2, 1]])


# The rule.
def crop(im, box, scale):
    h, w = im.shape[:2]; x1, y1, x2, y2 = box; bw, bh = x2 - x1, y2 - y1
    s = min(scale, (h - 1) / bh, (w - 1) / bw); cw, ch = bw * s, bh * s
    x = min(max((x1 + x2 - cw) / 2, 0), w - cw); y = min(max((y1 + y2 - ch) / 2, 0), h - ch)
    return cv2.resize(im[int(y):int(y + ch), int(x):int(x + cw)], (128, 128)).astype(np.float32)


def score(c):
    o = REF.live_(c.transpose(2, 0, 1)[None])[0].ravel(); o = np.exp(o - o.max())
    return float(o[0] / o.sum())


def detail(c):
    r = np.abs(cv2.filter2D(c @ np.float32([.114, .587, .299]), -1, NOISE_KERNEL)[1:-1, 1:-1])
    return float(np.median(r) / 6 / .6745)


def evidence(im, box):
    wide = crop(im, box, 2.7)
    return score(wide), score(cv2.GaussianBlur(crop(im, box, 1.5), (0, 0), 1.2)), detail(wide)


def verdict(wide, close, fine):
    if wide < ATTACK_BELOW and close < ATTACK_BELOW and fine <= MOST: return "attack"
    if wide >= LIVE_FROM and close >= LIVE_FROM and fine >= LEAST: return "live"
    return "undecided"


# Degraded copies.
def to_130(im, box):
    s = min(1, 130 / (box[3] - box[1]))
    return (cv2.resize(im, None, fx=s, fy=s, interpolation=cv2.INTER_AREA), box * s) if s < 1 else (im, box)


def unsharp(im, sigma=2., amount=1.):
    x = im.astype(np.float32)
    return np.clip(x + amount * (x - cv2.GaussianBlur(x, (0, 0), sigma)), 0, 255).astype(np.uint8)


def noise(im, sigma): return np.clip(im + RNG.normal(0, sigma, im.shape), 0, 255).round().astype(np.uint8)
def jpeg(im, quality): return cv2.imdecode(cv2.imencode(".jpg", im, [1, quality])[1], 1)
def blur(im, sigma): return cv2.GaussianBlur(im, (0, 0), sigma)


DEGRADED = {  # name: (scaled to a face of at most 130 px first?, function)
    "as is": (False, lambda i: i), "unsharp 2 px +100 %": (False, unsharp), "noise 5": (False, lambda i: noise(i, 5.)),
    "JPEG 30": (False, lambda i: jpeg(i, 30)), "130 px": (True, lambda i: i), "130 px, unsharp 2 px +100 %": (True, unsharp),
    "130 px, unsharp 1 px +50 %": (True, lambda i: unsharp(i, 1., .5)), "130 px, noise 2": (True, lambda i: noise(i, 2.)),
    "130 px, noise 5": (True, lambda i: noise(i, 5.)), "130 px, JPEG 30": (True, lambda i: jpeg(i, 30)),
    "130 px, blur 0.7 px": (True, lambda i: blur(i, .7)), "130 px, blur 1.5 px": (True, lambda i: blur(i, 1.5)),
}


# SIMULATED recaptures: no camera, paper or screen was involved.
def shown(im, box):
    f = box[3] - box[1]; cx, cy = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2; h, w = im.shape[:2]
    n = int(min(2.9 * f, h, w)); x, y = int(np.clip(cx - n / 2, 0, w - n)), int(np.clip(cy - n / 2, 0, h - n))
    return cv2.resize(im[y:y + n, x:x + n], (500, 500), interpolation=cv2.INTER_AREA).astype(np.float32)


def screen(im, box, seed, frame):
    """Gamma, colour cast, sub-pixel beat of 4-7 % at 0.3 cycles a pixel, black bezel."""
    r = np.random.default_rng(seed); p = 255 * (shown(im, box) / 255) ** .92
    y, x = np.mgrid[0:500, 0:500].astype(np.float32)
    for c in range(3):
        f = .31 + .02 * r.random()
        p[..., c] *= 1 + .07 * np.sin(2 * np.pi * (f * x + .02 * y) + c * 2.1) + .04 * np.sin(2 * np.pi * f * y * 1.01)
    p = p * np.float32([1.08, 1., .95]) * .97 + 10
    if frame: p = cv2.copyMakeBorder(p, 18, 18, 18, 18, cv2.BORDER_CONSTANT, value=(18, 16, 15))
    return photographed(p, r, (96, 98, 104) if frame else (150, 152, 150))


def printed(im, box, seed, frame):
    """Reduced gamut, lifted black, paper texture of 3 %, white margin."""
    r = np.random.default_rng(seed); p = shown(im, box); g = p.mean(2, keepdims=True)
    p = (30 + (g + (p - g) * .82) * .78) * np.float32([.95, .99, 1.02])
    p *= 1 + .03 * cv2.GaussianBlur(r.normal(0, 1, p.shape[:2]).astype(np.float32), (0, 0), 1.5)[..., None]
    if frame: p = cv2.copyMakeBorder(p, 20, 20, 20, 20, cv2.BORDER_CONSTANT, value=(226, 230, 232))
    return photographed(p, r, (120, 130, 140))


def photographed(p, r, background):
    """Slight perspective on a plain wall, defocus of 0.9 px, sensor noise of 0.8, JPEG 92."""
    q, (h, w) = p.shape[0], (720, 680); x, y = (w - q) / 2, (h - q) / 2
    corners = np.float32([[x, y], [x + q, y], [x + q, y + q], [x, y + q]]) + r.uniform(-16, 16, (4, 2)).astype(np.float32)
    m = cv2.getPerspectiveTransform(np.float32([[0, 0], [q, 0], [q, q], [0, q]]), corners)
    mask = cv2.warpPerspective(np.ones((q, q), np.float32), m, (w, h))[..., None]
    wall = np.zeros((h, w, 3), np.float32) + background + np.mgrid[0:h, 0:w][1][..., None] / w * 20
    out = cv2.GaussianBlur(cv2.warpPerspective(p, m, (w, h)) * mask + wall * (1 - mask), (0, 0), .9)
    return jpeg(np.clip(out + r.normal(0, .8, out.shape), 0, 255).astype(np.uint8), 92)


SIMULATED = {"print": (printed, 0), "print with margin": (printed, 1), "screen": (screen, 0), "screen with bezel": (screen, 1)}


# The tables.
def interval(k, n):
    """Clopper-Pearson, 95 %, in per cent."""
    if n == 0: return "none decided"
    tail = lambda p, lo, hi: sum(math.comb(n, i) * p ** i * (1 - p) ** (n - i) for i in range(lo, hi + 1))
    def solve(f):
        a, b = 0., 1.
        for _ in range(60): a, b = ((a + b) / 2, b) if f((a + b) / 2) else (a, (a + b) / 2)
        return a
    low = 0. if k == 0 else solve(lambda p: tail(p, k, n) < .025)
    high = 1. if k == n else solve(lambda p: tail(p, 0, k) > .025)
    return f"{100 * low:.1f}–{100 * high:.1f} %"


def pictures(root):
    for d, _, names in sorted(os.walk(root)):
        for n in sorted(names):
            if n.lower().endswith((".jpg", ".jpeg", ".png", ".webp")): yield os.path.join(d, n)


def largest(im):
    boxes = REF.detect(im)
    return max(boxes, key=lambda b: (b[2] - b[0]) * (b[3] - b[1])) if len(boxes) else None


def main():
    table, faces, inputs = collections.defaultdict(collections.Counter), sys.argv[3], []
    for p in pictures(os.path.join(faces, "verify")):
        who = os.path.basename(os.path.dirname(p)); origin = "lfw_subset" if "lfw" in p else "deepface, johns"
        inputs.append((p, "tuned" if who in TUNED else "held out", origin))
    inputs += [(p, "held out", "portraits") for p in sys.argv[4:]]
    inputs += [(p, "real", k) for k in ("live", "attack") for p in pictures(os.path.join(faces, "liveness", k))]
    for i, (path, half, origin) in enumerate(inputs):
        im = cv2.imread(path); box = largest(im)
        for name, (small, degrade) in DEGRADED.items():
            a, b = to_130(im, box) if small else (im, box)
            count(table[half, origin, name], evidence(degrade(a), b))
        if half == "held out":
            for name, (make, frame) in SIMULATED.items():
                a = make(im, box, i, frame); b = largest(a)
                if b is None: table["SIMULATED", origin, name]["no face"] += 1
                else: count(table["SIMULATED", origin, name], evidence(a, b))
    for key, c in sorted(table.items()):
        wrong = "live" if key[0] == "SIMULATED" or key[1] == "attack" else "attack"
        n = c["live"] + c["attack"] + c["undecided"]; base = n if wrong == "live" else c["live"] + c["attack"]
        print("|", " | ".join(key), "|", " | ".join(str(c[k]) for k in ("live", "undecided", "attack")), "|", c["refused before"],
              "|", f"{c[wrong]}/{base}: {interval(c[wrong], base)}", "|", f"no face {c['no face']}" if c["no face"] else "")


def count(c, e):
    c[verdict(*e)] += 1; c["refused before"] += e[0] < .5


if __name__ == "__main__":
    main()
