/** The page: controls on one side, a session on the other, pictures in between. */
import { Subject } from 'rxjs';
import { scope } from 'statewave/web';
import { DigitsView } from './digits-view.ts';
import type { ModelName } from './messages.ts';
import { RESONATOR } from './resonator.ts';
import { drawResponse } from './response.ts';
import { Session, type Ready } from './session.ts';
import { columns, SpectrogramView } from './spectrogram.ts';
import { StateView } from './state-view.ts';
import { weightsOf } from './weights.ts';

const element = <E extends HTMLElement>(id: string): E => document.getElementById(id) as E;
const input = (id: string): HTMLInputElement => element<HTMLInputElement>(id);

/** Milliseconds from one look at what came to the next; browsers make it a second where a page is in the background. */
const LOOK = 30;
/** Hz up to which the spectrograms go. */
const TOP: Readonly<Record<ModelName, number>> = { denoiser: 8000, digits: 4000, resonator: 12_000 };

/** By the names of backends. */
const KERNELS: Readonly<Record<string, string>> = {
  'wasm-relaxed-simd': 'WASM relaxed SIMD',
  'wasm-simd': 'WASM SIMD',
  reference: 'JavaScript',
};

const start = element<HTMLButtonElement>('microphone');
const models = [...document.querySelectorAll<HTMLInputElement>('input[name=model]')];
const methods = [...document.querySelectorAll<HTMLInputElement>('input[name=method]')];
const blocks = new Subject<Float32Array>();
const before = new SpectrogramView(element('before'));
const after = new SpectrogramView(element('after'));
const state = new StateView(element('state'));
const digits = new DigitsView(element('scores'), element('hearing'), element('words'));

let session: Session | undefined;
let opening: Promise<Session> | undefined;
let ready: Ready | undefined;
let source: 'microphone' | 'file' | undefined;

columns(blocks).subscribe((column) => {
  before.push(column.before);
  after.push(column.after);
});

function say(text: string, isProblem = false): void {
  const status = element('status');
  status.textContent = text;
  status.classList.toggle('problem', isProblem);
}

const chosen = (): ModelName => models.find(({ checked }) => checked)!.value as ModelName;

/** Frequencies and dampings are heard by ratios: the sliders are logarithmic. */
const SCALES = {
  frequency: { low: 100, high: 10_000, text: (hertz: number) => `${Math.round(hertz)} Hz` },
  damping: {
    low: 0.005,
    high: 0.9,
    text: (zeta: number) => `${zeta.toPrecision(2)} (Q ${(0.5 / zeta).toPrecision(2)})`,
  },
} as const;
type Slider = keyof typeof SCALES;

const valueOf = (name: Slider): number => {
  const { low, high } = SCALES[name];
  return low * (high / low) ** Number(input(name).value);
};

function slide(name: Slider): void {
  const { text } = SCALES[name];
  const value = valueOf(name);
  element(`${name}-value`).textContent = text(value);
  input(name).setAttribute('aria-valuetext', text(value));
  session?.set(name, value);
  redraw();
}

let redrawing = false;
function redraw(): void {
  if (redrawing || chosen() !== 'resonator') return;
  redrawing = true;
  requestAnimationFrame(() => {
    redrawing = false;
    const setting = { frequency: valueOf('frequency'), damping: valueOf('damping') };
    drawResponse(element('response'), setting, session?.context.sampleRate ?? 48_000);
  });
}

/** The settings of the page, to a worklet that has just begun. */
function settle(): void {
  if (session === undefined) return;
  session.set('mix', input('processed').checked ? 1 : 0);
  session.measure(input('exact').checked);
  if (chosen() !== 'resonator') return;
  for (const name of Object.keys(SCALES) as Slider[]) session.set(name, valueOf(name));
  session.set('bilinear', Number(methods.find(({ checked }) => checked)!.value));
}

/** Shows a model's part of the page, and runs it where a session is open. False where it cannot run. */
async function choose(): Promise<boolean> {
  const name = chosen();
  element('resonator').hidden = name !== 'resonator';
  element('digits').hidden = name !== 'digits';
  // Digits leave the sound as it is.
  element('spectrum-after').hidden = name === 'digits';
  redraw();
  try {
    await weightsOf(name);
    if (session !== undefined) {
      const loaded = await session.load(name);
      ready = loaded;
      settle();
      introduce(loaded);
    }
    if (chosen() === name) say(source === undefined ? hint() : playing());
    return true;
  } catch (error) {
    say((error as Error).message, true);
    return false;
  }
}

const hint = (): string => 'Start the microphone, or drop a recording anywhere on this page.';
const playing = (): string =>
  source === 'microphone'
    ? `The microphone is on. ${input('listen').checked ? 'You hear it: use headphones.' : 'Switch on Listen to hear it, with headphones.'}`
    : 'Playing the recording.';

function introduce({ latency, modelRate, backend, sections, name }: Ready): void {
  const rate = session!.context.sampleRate;
  before.show(TOP[name], rate);
  after.show(TOP[name], rate);
  state.show(sections);
  if (name === 'digits') digits.show();
  const numbers = sections.reduce((sum, { length }) => sum + length, 0);
  element('state-size').textContent = `${numbers.toLocaleString('en')} numbers in state space layers`;
  element('latency').textContent = `${((1000 * latency) / rate).toFixed(1)} ms`;
  element('rate').textContent = `${modelRate / 1000} kHz in ${rate / 1000} kHz`;
  element('backend').textContent = KERNELS[backend] ?? backend;
  element('transport').textContent = session!.isShared ? 'shared memory' : 'messages';
}

/** One session a page, opened by the first click or key. */
const open = (): Promise<Session> => (opening ??= Session.open());

async function play(
  begin: (session: Session) => Promise<unknown>,
  kind: 'microphone' | 'file',
): Promise<void> {
  start.disabled = true;
  try {
    const isNew = session === undefined;
    session = await open();
    await session.context.resume();
    if ((isNew || ready?.name !== chosen()) && !(await choose())) return;
    await begin(session);
    source = kind;
    // A loudspeaker beside a microphone howls, so that hearing oneself is a choice; a recording is there to be heard.
    input('listen').checked = kind === 'file';
    session.listen(input('listen').checked);
    say(playing());
  } catch (error) {
    opening = session === undefined ? undefined : opening;
    say(explain(error as Error, kind), true);
  } finally {
    start.disabled = false;
    showSource();
  }
}

function explain(error: Error, kind: 'microphone' | 'file'): string {
  switch (error.name) {
    case 'NotAllowedError':
      return 'The browser does not let this page use the microphone: allow it beside the address, then start again.';
    case 'NotFoundError':
      return 'There is no microphone: connect one, or drop a recording on this page.';
    case 'EncodingError':
      return 'The browser cannot decode this file: give it a WAV, FLAC, MP3, Ogg or M4A recording.';
    default:
      return `${kind === 'file' ? 'The recording' : 'The microphone'} does not start: ${error.message}`;
  }
}

function stop(): void {
  session?.stop();
  source = undefined;
  say(hint());
  showSource();
}

function showSource(): void {
  start.setAttribute('aria-pressed', String(source !== undefined));
  start.querySelector('span')!.textContent = source === undefined ? 'Start microphone' : 'Stop';
  document.body.dataset['source'] = source ?? '';
}

async function listenToMicrophone(): Promise<void> {
  await play(async (on) => {
    const { ended } = await on.microphone();
    void ended.then(() => {
      if (source !== 'microphone') return;
      stop();
      say('The microphone has gone: connect it, or allow it, then start again.', true);
    });
  }, 'microphone');
}

async function playFile(file: File | undefined): Promise<void> {
  if (file === undefined) return;
  await play(async (on) => {
    const { ended } = await on.recording(file);
    void ended.then(() => {
      if (source !== 'file') return;
      stop();
      say(`${file.name} has ended.`);
    });
  }, 'file');
}

function meters(): void {
  if (session === undefined || ready === undefined) return;
  const numbers = session.reader.scope;
  const load = numbers[scope.LOAD]!;
  const isExact = numbers[scope.EXACT] === 1;
  const { context } = session;
  (element('load-bar').firstElementChild as HTMLElement).style.width = `${100 * Math.min(1, load)}%`;
  element('load').textContent = `${(100 * load).toFixed(load < 0.1 ? 1 : 0)} %`;
  const share = numbers[scope.P999]! / numbers[scope.QUANTUM]!;
  element('p999').textContent = isExact
    ? `${(numbers[scope.P999]! / 1000).toFixed(2)} ms (${(100 * share).toFixed(0)} %)`
    : 'not measured';
  element('underruns').textContent = `${session.underruns ?? numbers[scope.LATE]!}`;
  element('dropped').textContent = `${numbers[scope.DROPPED]!}`;
  const device = context.baseLatency + (context.outputLatency || 0);
  element('device').textContent = `${(1000 * device).toFixed(0)} ms`;
}

start.addEventListener('click', () => {
  if (source !== undefined) stop();
  else void listenToMicrophone();
});
for (const model of models) model.addEventListener('change', () => void choose());
for (const method of methods) {
  method.addEventListener('change', () => session?.set('bilinear', Number(method.value)));
}
for (const name of Object.keys(SCALES) as Slider[]) {
  const { low, high } = SCALES[name];
  input(name).value = String(Math.log(RESONATOR[name] / low) / Math.log(high / low));
  input(name).addEventListener('input', () => slide(name));
  slide(name);
}
input('processed').addEventListener('change', () => session?.set('mix', input('processed').checked ? 1 : 0));
input('listen').addEventListener('change', () => {
  session?.listen(input('listen').checked);
  if (source !== undefined) say(playing());
});
input('exact').addEventListener('change', () => session?.measure(input('exact').checked));
input('file').addEventListener('change', () => {
  void playFile(input('file').files?.[0]);
  input('file').value = '';
});

addEventListener('dragover', (event) => {
  event.preventDefault();
  document.body.classList.add('dropping');
});
addEventListener('dragleave', (event) => {
  if (event.relatedTarget === null) document.body.classList.remove('dropping');
});
addEventListener('drop', (event) => {
  event.preventDefault();
  document.body.classList.remove('dropping');
  void playFile(event.dataTransfer?.files[0]);
});
addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const isTyping =
    event.target instanceof HTMLElement && event.target.closest('input, button, select, label');
  if (event.key === ' ' && !isTyping) {
    event.preventDefault();
    start.click();
  }
  if (event.key === 'b' || event.key === 'B') input('processed').click();
  if (event.key === 'l' || event.key === 'L') input('listen').click();
});
addEventListener('resize', redraw);
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', redraw);

setInterval(() => session?.reader.read((block) => blocks.next(block)), LOOK);
(function draw(): void {
  if (session !== undefined) {
    before.draw();
    after.draw();
    state.draw(session.reader.scope);
    if (chosen() === 'digits') digits.draw(session.reader.scope);
    meters();
  }
  requestAnimationFrame(draw);
})();
void choose();

/** For the console, and for tests: what passes by, frames × 2 (before, after). */
declare global {
  var statewaveLive: { readonly blocks: Subject<Float32Array>; readonly session: () => Session | undefined };
}
globalThis.statewaveLive = { blocks, session: () => session };
