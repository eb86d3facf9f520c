/* race.h - whether a device or the processor is faster, found out once
 *
 * Only of devices that compute in the processor's memory: nothing tells which
 * of the two is faster there. What was measured is kept in one file of the
 * user's cache folder by a digest of device, driver, programs, processor and
 * what was computed; losing it costs another race.
 */
#pragma once

#include "backend/backend.h"

typedef enum {
  FACET_RACE_DECODE,
  FACET_RACE_PREFILL,
  FACET_RACE_ENCODE,
} FacetRacePhase;

/* Whether @device is one that races are run with. */
gboolean facet_race_is_open  (FacetBackend *device);
/* What an earlier race over @shape gave; FALSE: there was none. */
gboolean facet_race_recall   (FacetBackend *device, const FacetBackend *cpu, const char *shape, FacetRacePhase phase,
                              gboolean *cpu_wins);
/* Keeps what was measured; seconds, infinite for one that was stopped as the slower.
 * Returns whether the processor wins. */
gboolean facet_race_remember (FacetBackend *device, const FacetBackend *cpu, const char *shape, FacetRacePhase phase,
                              double device_seconds, double cpu_seconds);

/* Stops a run that takes longer than the other one did. */
typedef struct {
  FacetCancel  cancel;   /* for the run */
  FacetCancel *user;     /* who may stop it, too; NULL: nobody */
  gint64       start, end;
} FacetStopwatch;

void   facet_stopwatch_start (FacetStopwatch *watch, double seconds, FacetCancel *user);
/* Called now and then while the run goes on. */
void   facet_stopwatch_look  (FacetStopwatch *watch);
double facet_stopwatch_read  (const FacetStopwatch *watch);
