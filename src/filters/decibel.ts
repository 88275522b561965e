/** 10^(dB/10) - 1, exact for small dB: the excess power ε² of a ripple of so many decibels. */
export const excessPower = (decibels: number): number => Math.expm1((decibels * Math.LN10) / 10);
