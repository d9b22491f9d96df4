import os

# Before numpy is imported. The model's matrices are small: a second thread of OpenBLAS brings nothing and spins
# meanwhile, which takes the other core away from whatever runs beside; and one thread adds up in one order everywhere.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
