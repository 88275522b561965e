/**
 * One channel of a diagonal plus low rank system x′ = A x + B u, A = Λ − P P*, at a step, by the bilinear rule and
 * without ever forming A: the Woodbury identity on (2/dt − A)⁻¹ leaves a diagonal step with R numbers fed back,
 *
 *     x[k] = a x[k−1] − Σᵣ Fᵣ ηᵣ + b u[k],   ηᵣ = 2 Re Σₙ Gᵣ x[k−1]
 *
 * One of each conjugate pair is kept; the 2 Re are the sums over both.
 *
 * | symbol | name | shape |
 * | --- | --- | --- |
 * | δ | dt/2 | |
 * | Λ, P, B | the system | (N), (R × N), (N) |
 * | g | 1/(1 − δ Λ) | (N) |
 * | G | conj(P) g | (R × N) |
 * | M, K | I + 2δ Re(G Pᵀ), and its inverse (index s, r) | (R × R), real |
 * | U | Uᵣ = Σₛ Pₛ Kₛᵣ | (R × N) |
 * | β | 2δ Re(G B) | (R), real |
 * | a | (1 + δ Λ) g | (N) |
 * | F | dt g U | (R × N) |
 * | b | dt g (B − Σᵣ Uᵣ βᵣ) | (N) |
 *
 * Complex arrays hold (re, im) pairs. A gradient with respect to a complex w is ∂L/∂Re w + i ∂L/∂Im w.
 *
 * Source: Gu, Goel, Ré, "Efficiently Modeling Long Sequences with Structured State Spaces" (arXiv 2111.00396), §3 and
 * appendix C.2; state-spaces/s4 `models/s4/s4.py`, `_setup_linear` and `_step_state_linear`.
 */

/** Λ, P, B of one channel, or gradients of them. */
export interface DplrSystem {
  readonly lambda: Float64Array;
  readonly P: Float64Array;
  readonly B: Float64Array;
}

/** a, F, G, b of one channel, or gradients of them. */
export interface DplrCoefficients {
  readonly a: Float64Array;
  readonly F: Float64Array;
  readonly G: Float64Array;
  readonly b: Float64Array;
}

export const dplrSystem = (N: number, R: number): DplrSystem => ({
  lambda: new Float64Array(2 * N),
  P: new Float64Array(2 * R * N),
  B: new Float64Array(2 * N),
});

export const dplrCoefficients = (N: number, R: number): DplrCoefficients => ({
  a: new Float64Array(2 * N),
  F: new Float64Array(2 * R * N),
  G: new Float64Array(2 * R * N),
  b: new Float64Array(2 * N),
});

/** Discretises channels of N states and rank R, one at a time; holds what is between system and coefficients. */
export class DplrStep {
  readonly #N: number;
  readonly #R: number;
  readonly #g: Float64Array;
  readonly #U: Float64Array;
  readonly #K: Float64Array;
  /** 2 Re(G Pᵀ) and 2 Re(G B), without δ. */
  readonly #S: Float64Array;
  readonly #beta: Float64Array;

  constructor(N: number, R: number) {
    this.#N = N;
    this.#R = R;
    this.#g = new Float64Array(2 * N);
    this.#U = new Float64Array(2 * R * N);
    this.#K = new Float64Array(R * R);
    this.#S = new Float64Array(R * R);
    this.#beta = new Float64Array(R);
  }

  /** Writes the coefficients of a system at a step of dt, 0 or more; allocates nothing. */
  forward({ lambda, P, B }: DplrSystem, dt: number, { a, F, G, b }: DplrCoefficients): void {
    const [N, R, delta] = [this.#N, this.#R, dt / 2];
    const [g, U, K, S, beta] = [this.#g, this.#U, this.#K, this.#S, this.#beta];
    for (let n = 0; n < 2 * N; n += 2) {
      const [zRe, zIm] = [delta * lambda[n]!, delta * lambda[n + 1]!];
      const size = (1 - zRe) ** 2 + zIm ** 2;
      g[n] = (1 - zRe) / size;
      g[n + 1] = zIm / size;
      a[n] = (1 + zRe) * g[n]! - zIm * g[n + 1]!;
      a[n + 1] = (1 + zRe) * g[n + 1]! + zIm * g[n]!;
      for (let r = 0; r < R; r++) {
        const at = 2 * r * N + n;
        G[at] = P[at]! * g[n]! + P[at + 1]! * g[n + 1]!;
        G[at + 1] = P[at]! * g[n + 1]! - P[at + 1]! * g[n]!;
      }
    }
    for (let r = 0; r < R; r++) {
      beta[r] = twiceReal(G, r * N, B, 0, N);
      for (let s = 0; s < R; s++) {
        S[r * R + s] = twiceReal(G, r * N, P, s * N, N);
        K[r * R + s] = (r === s ? 1 : 0) + delta * S[r * R + s]!;
      }
    }
    invert(K, R);
    for (let n = 0; n < 2 * N; n += 2) {
      let [vRe, vIm] = [0, 0];
      const [sRe, sIm] = [dt * g[n]!, dt * g[n + 1]!];
      for (let r = 0; r < R; r++) {
        let [uRe, uIm] = [0, 0];
        for (let s = 0; s < R; s++) {
          uRe += P[2 * s * N + n]! * K[s * R + r]!;
          uIm += P[2 * s * N + n + 1]! * K[s * R + r]!;
        }
        const at = 2 * r * N + n;
        U[at] = uRe;
        U[at + 1] = uIm;
        F[at] = sRe * uRe - sIm * uIm;
        F[at + 1] = sRe * uIm + sIm * uRe;
        vRe += uRe * delta * beta[r]!;
        vIm += uIm * delta * beta[r]!;
      }
      const [qRe, qIm] = [B[n]! - vRe, B[n + 1]! - vIm];
      b[n] = sRe * qRe - sIm * qIm;
      b[n + 1] = sRe * qIm + sIm * qRe;
    }
  }

  /**
   * The transpose of the derivative of `forward`, which must have run on the same system and step just before.
   *
   * @param d gradients of the coefficients; `G`'s are overwritten.
   * @param into gradients of the system, added to.
   * @returns ∂L/∂dt.
   */
  backward(
    system: DplrSystem,
    dt: number,
    at: DplrCoefficients,
    d: DplrCoefficients,
    into: DplrSystem,
  ): number {
    const { lambda, P, B } = system;
    const [N, R, delta] = [this.#N, this.#R, dt / 2];
    const [g, U, K, S, beta] = [this.#g, this.#U, this.#K, this.#S, this.#beta];
    const dG = d.G;
    const dg = new Float64Array(2 * N);
    const dU = new Float64Array(2 * R * N);
    const dBeta = new Float64Array(R);
    let dDt = 0;
    let dDelta = 0;

    for (let n = 0; n < 2 * N; n += 2) {
      const [gRe, gIm] = [g[n]!, g[n + 1]!];
      const [bRe, bIm] = [d.b[n]!, d.b[n + 1]!];
      let [qRe, qIm] = [B[n]!, B[n + 1]!];
      for (let r = 0; r < R; r++) {
        qRe -= U[2 * r * N + n]! * delta * beta[r]!;
        qIm -= U[2 * r * N + n + 1]! * delta * beta[r]!;
      }
      // b = dt g q, q = B − Σ U β
      const [dqRe, dqIm] = [dt * (gRe * bRe + gIm * bIm), dt * (gRe * bIm - gIm * bRe)];
      dg[n] = dt * (qRe * bRe + qIm * bIm);
      dg[n + 1] = dt * (qRe * bIm - qIm * bRe);
      dDt += (gRe * qRe - gIm * qIm) * bRe + (gRe * qIm + gIm * qRe) * bIm;
      into.B[n]! += dqRe;
      into.B[n + 1]! += dqIm;
      for (let r = 0; r < R; r++) {
        const i = 2 * r * N + n;
        const [uRe, uIm] = [U[i]!, U[i + 1]!];
        const [fRe, fIm] = [d.F[i]!, d.F[i + 1]!];
        dBeta[r]! -= uRe * dqRe + uIm * dqIm;
        // F = dt g U
        dU[i] = dt * (gRe * fRe + gIm * fIm) - delta * beta[r]! * dqRe;
        dU[i + 1] = dt * (gRe * fIm - gIm * fRe) - delta * beta[r]! * dqIm;
        dg[n]! += dt * (uRe * fRe + uIm * fIm);
        dg[n + 1]! += dt * (uRe * fIm - uIm * fRe);
        dDt += (gRe * uRe - gIm * uIm) * fRe + (gRe * uIm + gIm * uRe) * fIm;
      }
    }

    for (let r = 0; r < R; r++) {
      // β = 2δ Re(G B)
      const factor = 2 * delta * dBeta[r]!;
      dDelta += dBeta[r]! * beta[r]!;
      addConjugate(dG, r * N, B, 0, factor, N);
      addConjugate(into.B, 0, at.G, r * N, factor, N);
    }
    // Uᵣ = Σₛ Pₛ Kₛᵣ, K = M⁻¹, so dM = −Kᵀ dK Kᵀ.
    const dK = new Float64Array(R * R);
    for (let s = 0; s < R; s++) {
      for (let r = 0; r < R; r++) {
        for (let n = 0; n < 2 * N; n++) {
          dK[s * R + r]! += P[2 * s * N + n]! * dU[2 * r * N + n]!;
          into.P[2 * s * N + n]! += K[s * R + r]! * dU[2 * r * N + n]!;
        }
      }
    }
    for (let r = 0; r < R; r++) {
      for (let s = 0; s < R; s++) {
        let dM = 0;
        for (let i = 0; i < R; i++)
          for (let j = 0; j < R; j++) dM -= K[i * R + r]! * dK[i * R + j]! * K[s * R + j]!;
        // M = I + 2δ Re(G Pᵀ)
        dDelta += dM * S[r * R + s]!;
        addConjugate(dG, r * N, P, s * N, 2 * delta * dM, N);
        addConjugate(into.P, s * N, at.G, r * N, 2 * delta * dM, N);
      }
    }

    for (let n = 0; n < 2 * N; n += 2) {
      const [gRe, gIm] = [g[n]!, g[n + 1]!];
      for (let r = 0; r < R; r++) {
        // G = conj(P) g
        const i = 2 * r * N + n;
        const [pRe, pIm] = [P[i]!, P[i + 1]!];
        dg[n]! += pRe * dG[i]! - pIm * dG[i + 1]!;
        dg[n + 1]! += pRe * dG[i + 1]! + pIm * dG[i]!;
        into.P[i]! += gRe * dG[i]! + gIm * dG[i + 1]!;
        into.P[i + 1]! += gIm * dG[i]! - gRe * dG[i + 1]!;
      }
      // a = (1 + z) g, g = 1/(1 − z), z = δ Λ, so that g′ = g²
      const [zRe, zIm] = [delta * lambda[n]!, delta * lambda[n + 1]!];
      const [aRe, aIm] = [d.a[n]!, d.a[n + 1]!];
      const [tRe, tIm] = [dg[n]! + (1 + zRe) * aRe + zIm * aIm, dg[n + 1]! + (1 + zRe) * aIm - zIm * aRe];
      const [squareRe, squareIm] = [gRe * gRe - gIm * gIm, 2 * gRe * gIm];
      const dzRe = gRe * aRe + gIm * aIm + squareRe * tRe + squareIm * tIm;
      const dzIm = gRe * aIm - gIm * aRe + squareRe * tIm - squareIm * tRe;
      into.lambda[n]! += delta * dzRe;
      into.lambda[n + 1]! += delta * dzIm;
      dDelta += lambda[n]! * dzRe + lambda[n + 1]! * dzIm;
    }
    return dDt + dDelta / 2;
  }
}

/** 2 Re Σₙ x y over N pairs. */
export function twiceReal(x: Float64Array, xAt: number, y: Float64Array, yAt: number, N: number): number {
  let sum = 0;
  for (let n = 0; n < N; n++) {
    const [i, j] = [2 * (xAt + n), 2 * (yAt + n)];
    sum += x[i]! * y[j]! - x[i + 1]! * y[j + 1]!;
  }
  return 2 * sum;
}

/** into += factor · conj(x) over N pairs. */
function addConjugate(
  into: Float64Array,
  intoAt: number,
  x: Float64Array,
  xAt: number,
  factor: number,
  N: number,
): void {
  for (let n = 0; n < N; n++) {
    into[2 * (intoAt + n)]! += factor * x[2 * (xAt + n)]!;
    into[2 * (intoAt + n) + 1]! -= factor * x[2 * (xAt + n) + 1]!;
  }
}

/**
 * M → M⁻¹ in place by Gauss and Jordan. No pivots are looked for: the symmetric part of M is at least I where Re Λ < 0,
 * and small ranks are all there are.
 */
function invert(M: Float64Array, R: number): void {
  for (let k = 0; k < R; k++) {
    const pivot = 1 / M[k * R + k]!;
    M[k * R + k] = 1;
    for (let j = 0; j < R; j++) M[k * R + j]! *= pivot;
    for (let i = 0; i < R; i++) {
      if (i === k) continue;
      const factor = M[i * R + k]!;
      M[i * R + k] = 0;
      for (let j = 0; j < R; j++) M[i * R + j]! -= factor * M[k * R + j]!;
    }
  }
}
