#pragma once

#include <mpi.h>

// Macros that Swift does not import, by function.
static inline MPI_Comm saccader_world(void) { return MPI_COMM_WORLD; }
static inline MPI_Comm saccader_no_communicator(void) { return MPI_COMM_NULL; }
static inline MPI_Datatype saccader_byte(void) { return MPI_BYTE; }
static inline MPI_Errhandler saccader_errors_return(void) { return MPI_ERRORS_RETURN; }
static inline MPI_Status *saccader_ignore_status(void) { return MPI_STATUS_IGNORE; }
static inline MPI_Status *saccader_ignore_statuses(void) { return MPI_STATUSES_IGNORE; }
static inline MPI_Request saccader_no_request(void) { return MPI_REQUEST_NULL; }
