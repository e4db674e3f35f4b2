"""Linear algebra on bulk lines: signature, ridge and logistic fits, denoised responses, calibration."""
