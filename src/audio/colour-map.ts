/*
 * L, a, b   OKLab: lightness 0 … 1, green–red, blue–yellow
 * chroma    √(a² + b²);  hue   atan2(b, a), degrees
 *
 * B. Ottosson, "A perceptual color space for image processing" (2020): OKLab and its matrices.
 */

type Triple = readonly [number, number, number];

/** Lightness rises all the way, so the map also reads in grey; hue goes from violet over red to yellow. */
const FROM = { lightness: 0.12, hue: 285 };
const TO = { lightness: 0.97, hue: 465 };
const CHROMA = 0.19;
const STEPS = 4096;

/**
 * A colour map of 256 entries (256 × 3 bytes, sRGB) that is perceptually uniform: entries are equally far
 * apart in OKLab, and lightness only rises. Computed, not tabulated: a path of rising lightness and turning
 * hue, held inside sRGB, then cut to steps of equal length.
 */
export function colourMap(): Uint8Array {
  const path: Triple[] = [];
  const length = [0];
  for (let i = 0; i <= STEPS; i++) {
    const t = i / STEPS;
    const lightness = FROM.lightness + t * (TO.lightness - FROM.lightness);
    const hue = ((FROM.hue + t * (TO.hue - FROM.hue)) * Math.PI) / 180;
    // Full in the middle; towards black and white there are no strong colours.
    const chroma = insideSrgb(lightness, hue, CHROMA * Math.sin(Math.PI * (0.1 + 0.8 * t)));
    path.push([lightness, chroma * Math.cos(hue), chroma * Math.sin(hue)]);
    if (i > 0) length.push(length[i - 1]! + distance(path[i]!, path[i - 1]!));
  }
  const map = new Uint8Array(256 * 3);
  for (let entry = 0, i = 0; entry < 256; entry++) {
    const at = (length[STEPS]! * entry) / 255;
    while (i < STEPS && length[i]! < at) i++;
    toSrgb(path[i]!).forEach((value, k) => {
      map[3 * entry + k] = Math.round(255 * Math.min(1, Math.max(0, value)));
    });
  }
  return map;
}

const distance = (p: Triple, q: Triple): number => Math.hypot(p[0] - q[0], p[1] - q[1], p[2] - q[2]);

/** The chroma, or as much of it as sRGB can show. */
function insideSrgb(lightness: number, hue: number, chroma: number): number {
  const fits = (c: number): boolean =>
    toSrgb([lightness, c * Math.cos(hue), c * Math.sin(hue)]).every((v) => v >= 0 && v <= 1);
  if (fits(chroma)) return chroma;
  let low = 0;
  let high = chroma;
  for (let i = 0; i < 24; i++) {
    const middle = (low + high) / 2;
    if (fits(middle)) low = middle;
    else high = middle;
  }
  return low;
}

function toSrgb([lightness, a, b]: Triple): Triple {
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  return [
    gamma(4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s),
    gamma(-1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s),
    gamma(-0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s),
  ];
}

/** IEC 61966-2-1; negative values stay negative, so that they are seen to be outside. */
const gamma = (linear: number): number =>
  linear <= 0.0031308 ? 12.92 * linear : 1.055 * linear ** (1 / 2.4) - 0.055;
