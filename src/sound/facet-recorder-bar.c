#define G_LOG_DOMAIN "facet"

#include "config.h"

#include <glib/gi18n-lib.h>
#include <glib/gstdio.h>

#include "facet-recorder-bar.h"

#include "facet-activity-log.h"
#include "facet-device-menu.h"
#include "facet-recorder.h"
#include "facet-waveform.h"

#define TICK_MS 50
#define HEADER_BYTES 44

typedef enum {
  NEXT_RECORD,
  NEXT_KEEP,
  NEXT_DISCARD,
  NEXT_RESTART, /* keep, then begin anew: the device was changed */
} Next;

struct _FacetRecorderBar {
  AdwBin parent_instance;

  GtkStack      *pages;
  GtkWidget     *recording;
  GtkWidget     *problem_page;
  GtkLabel      *problem;
  GtkLabel      *time;
  GtkLevelBar   *level;
  AdwBin        *waveform_bin;
  GtkWidget     *pause;
  GtkMenuButton *devices;
  GtkMenuButton *other_devices;

  GSettings     *settings;
  FacetWaveform *waveform;
  char          *folder;
  FacetRecorder *recorder; /* NULL: none, or it is with a thread */
  gboolean       busy;     /* a thread opens or closes the device */
  Next           next;     /* once it has */
  gboolean       lost;     /* the recorder failed by itself */
  guint          timer;
};

enum {
  SIGNAL_RECORDED,
  SIGNAL_CLOSED,
  N_SIGNALS
};

enum {
  PROP_RECORDING = 1,
  N_PROPS
};

static guint signals[N_SIGNALS];
static GParamSpec *props[N_PROPS];

G_DEFINE_FINAL_TYPE (FacetRecorderBar, facet_recorder_bar, ADW_TYPE_BIN)

gboolean
facet_recorder_bar_is_recording (FacetRecorderBar *self)
{
  return self->busy || self->recorder != NULL;
}

const char *
facet_recorder_bar_get_problem (FacetRecorderBar *self)
{
  return gtk_stack_get_visible_child (self->pages) == self->problem_page ? gtk_label_get_text (self->problem) : NULL;
}

static void
show_problem (FacetRecorderBar *self, int code)
{
  gtk_label_set_text (self->problem, facet_voice_error_text (code));
  gtk_stack_set_visible_child (self->pages, self->problem_page);
}

static void
set_busy (FacetRecorderBar *self, gboolean busy)
{
  self->busy = busy;
  gtk_widget_set_sensitive (self->recording, !busy);
  g_object_notify_by_pspec (G_OBJECT (self), props[PROP_RECORDING]);
}

/* ---- what is seen while it runs ----------------------------------------- */

static void
show_pause (FacetRecorderBar *self, gboolean paused)
{
  const char *name = paused ? _("Go On Recording") : _("Pause Recording");

  gtk_button_set_icon_name (GTK_BUTTON (self->pause),
                            paused ? "media-record-symbolic" : "media-playback-pause-symbolic");
  gtk_widget_set_tooltip_text (self->pause, name);
  gtk_accessible_update_property (GTK_ACCESSIBLE (self->pause), GTK_ACCESSIBLE_PROPERTY_LABEL, name, -1);
}

static void
show_recorder (FacetRecorderBar *self)
{
  double seconds = self->recorder != NULL ? facet_recorder_seconds (self->recorder) : 0;
  g_autofree char *text = facet_waveform_format_time (seconds);
  gsize n = facet_waveform_get_bars (self->waveform);
  g_autofree float *peaks = g_new0 (float, n);

  if (self->recorder != NULL)
    facet_recorder_peaks (self->recorder, peaks, n);
  gtk_label_set_text (self->time, text);
  gtk_level_bar_set_value (self->level, self->recorder != NULL ? facet_recorder_level (self->recorder) : 0);
  facet_waveform_set_growing (self->waveform, peaks, n);
}

static void end (FacetRecorderBar *self, Next next);

static gboolean
tick_cb (gpointer data)
{
  FacetRecorderBar *self = data;

  show_recorder (self);
  if (facet_recorder_state (self->recorder) != FACET_RECORDER_FAILED)
    return G_SOURCE_CONTINUE;
  self->timer = 0;
  self->lost = TRUE;
  end (self, NEXT_KEEP);
  return G_SOURCE_REMOVE;
}

/* ---- closing ------------------------------------------------------------ */

typedef struct {
  FacetRecorder *recorder;
  char          *path;
  gboolean       discard;
  double         seconds;
  int            code; /* FacetVoiceErrorCode, -1: none */
} Ending;

static void
ending_free (gpointer data)
{
  Ending *ending = data;

  g_clear_pointer (&ending->recorder, facet_recorder_free);
  g_free (ending->path);
  g_free (ending);
}

static void
end_thread (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  Ending *ending = data;

  facet_recorder_stop (ending->recorder);
  ending->seconds = facet_recorder_seconds (ending->recorder);
  if (facet_recorder_error (ending->recorder) != NULL) {
    g_message ("%s", facet_recorder_error (ending->recorder)->message);
    ending->code = facet_recorder_error (ending->recorder)->code;
  }
  if (ending->discard || ending->seconds <= 0)
    facet_recorder_discard (ending->recorder);
  g_clear_pointer (&ending->recorder, facet_recorder_free);
  g_task_return_boolean (task, TRUE);
}

static void
ended_cb (GObject *object, GAsyncResult *result, gpointer data)
{
  g_autoptr (FacetRecorderBar) self = data;
  Ending *ending = g_task_get_task_data (G_TASK (result));

  if (self->settings == NULL) /* disposed meanwhile: the file is found at the next start */
    return;
  set_busy (self, FALSE);
  if (!ending->discard && ending->seconds > 0)
    g_signal_emit (self, signals[SIGNAL_RECORDED], 0, ending->path);
  if (self->next == NEXT_RESTART)
    facet_recorder_bar_start (self);
  else if (self->lost && ending->code >= 0)
    show_problem (self, ending->code);
  else
    g_signal_emit (self, signals[SIGNAL_CLOSED], 0);
}

static void
end (FacetRecorderBar *self, Next next)
{
  Ending *ending;
  g_autoptr (GTask) task = NULL;

  self->next = next;
  if (self->recorder == NULL)
    return;
  g_clear_handle_id (&self->timer, g_source_remove);
  ending = g_new0 (Ending, 1);
  ending->path = g_strdup (facet_recorder_path (self->recorder));
  ending->recorder = g_steal_pointer (&self->recorder);
  ending->discard = next == NEXT_DISCARD;
  ending->code = -1;
  task = g_task_new (NULL, NULL, ended_cb, g_object_ref (self));
  g_task_set_task_data (task, ending, ending_free);
  set_busy (self, TRUE);
  g_task_run_in_thread (task, end_thread);
}

/* ---- opening ------------------------------------------------------------ */

typedef struct {
  char *device;
  char *path;
} Beginning;

static void
beginning_free (gpointer data)
{
  Beginning *beginning = data;

  g_free (beginning->device);
  g_free (beginning->path);
  g_free (beginning);
}

static void
start_thread (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  Beginning *beginning = data;
  g_autofree char *folder = g_path_get_dirname (beginning->path);
  GError *error = NULL;
  FacetRecorder *recorder;

  g_mkdir_with_parents (folder, 0700);
  recorder = facet_recorder_start (beginning->device, beginning->path, &error);
  if (recorder != NULL)
    g_task_return_pointer (task, recorder, (GDestroyNotify) facet_recorder_free);
  else
    g_task_return_error (task, error);
}

static void
started_cb (GObject *object, GAsyncResult *result, gpointer data)
{
  g_autoptr (FacetRecorderBar) self = data;
  g_autoptr (GError) error = NULL;
  FacetRecorder *recorder = g_task_propagate_pointer (G_TASK (result), &error);

  if (self->settings == NULL) {
    g_clear_pointer (&recorder, facet_recorder_free);
    return;
  }
  set_busy (self, FALSE);
  if (recorder == NULL) {
    g_message ("no recording: %s", error->message);
    show_problem (self, error->code);
    return;
  }
  self->recorder = recorder;
  g_object_notify_by_pspec (G_OBJECT (self), props[PROP_RECORDING]);
  if (self->next != NEXT_RECORD)
    end (self, self->next);
  else
    self->timer = g_timeout_add (TICK_MS, tick_cb, self);
}

static char *
new_path (FacetRecorderBar *self)
{
  g_autoptr (GDateTime) now = g_date_time_new_now_local ();
  g_autofree char *time = g_date_time_format (now, "%Y-%m-%d %H.%M.%S");
  /* Translators: name of a recording; %s is date and time */
  g_autofree char *name = g_strdup_printf (C_("name of a file", "Voice note %s"), time);
  char *path = g_strdup_printf ("%s/%s.wav", self->folder, g_strdelimit (name, "/", '-'));

  for (int i = 2; g_file_test (path, G_FILE_TEST_EXISTS); i++) {
    g_free (path);
    path = g_strdup_printf ("%s/%s (%d).wav", self->folder, name, i);
  }
  return path;
}

void
facet_recorder_bar_start (FacetRecorderBar *self)
{
  g_autofree char *device = g_settings_get_string (self->settings, "microphone");
  g_autoptr (GTask) task = NULL;
  Beginning *beginning;

  if (facet_recorder_bar_is_recording (self))
    return;
  beginning = g_new0 (Beginning, 1);
  beginning->path = new_path (self);
  beginning->device = *device != '\0' ? g_steal_pointer (&device) : NULL;
  facet_activity_log_add (FACET_ACTIVITY_WRITE, beginning->path);
  self->next = NEXT_RECORD;
  self->lost = FALSE;
  show_pause (self, FALSE);
  show_recorder (self);
  gtk_stack_set_visible_child (self->pages, self->recording);
  facet_device_menu_fill (self->devices);
  facet_device_menu_fill (self->other_devices);
  task = g_task_new (NULL, NULL, started_cb, g_object_ref (self));
  g_task_set_task_data (task, beginning, beginning_free);
  set_busy (self, TRUE);
  g_task_run_in_thread (task, start_thread);
}

/* ---- what people do ----------------------------------------------------- */

void
facet_recorder_bar_pause (FacetRecorderBar *self, gboolean pause)
{
  if (self->recorder == NULL)
    return;
  if (pause)
    facet_recorder_pause (self->recorder);
  else
    facet_recorder_resume (self->recorder);
  show_pause (self, pause);
}

void
facet_recorder_bar_keep (FacetRecorderBar *self)
{
  end (self, NEXT_KEEP);
}

void
facet_recorder_bar_discard (FacetRecorderBar *self)
{
  end (self, NEXT_DISCARD);
}

static void
pause_cb (FacetRecorderBar *self)
{
  facet_recorder_bar_pause (self, self->recorder != NULL &&
                                    facet_recorder_state (self->recorder) == FACET_RECORDER_RECORDING);
}

static void
close_cb (FacetRecorderBar *self)
{
  g_signal_emit (self, signals[SIGNAL_CLOSED], 0);
}

static void
device_changed_cb (FacetRecorderBar *self)
{
  if (self->recorder != NULL)
    end (self, NEXT_RESTART);
  else if (facet_recorder_bar_get_problem (self) != NULL && gtk_widget_get_mapped (GTK_WIDGET (self)))
    facet_recorder_bar_start (self);
}

/* ---- recordings left behind --------------------------------------------- */

static int
by_name (gconstpointer a, gconstpointer b)
{
  return g_strcmp0 (*(char *const *) a, *(char *const *) b);
}

GStrv
facet_recorder_bar_find_left (const char *folder)
{
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  GPtrArray *paths = g_ptr_array_new ();
  const char *name;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL) {
    g_autofree char *path = g_build_filename (folder, name, NULL);
    GStatBuf info;

    if (!g_str_has_suffix (name, ".wav") || g_lstat (path, &info) != 0 || !S_ISREG (info.st_mode))
      continue;
    if (info.st_size <= HEADER_BYTES)
      g_unlink (path);
    else
      g_ptr_array_add (paths, g_steal_pointer (&path));
  }
  g_ptr_array_sort (paths, by_name);
  g_ptr_array_add (paths, NULL);
  return (GStrv) g_ptr_array_free (paths, FALSE);
}

/* ---- construction ------------------------------------------------------- */

static void
facet_recorder_bar_dispose (GObject *object)
{
  FacetRecorderBar *self = FACET_RECORDER_BAR (object);

  g_clear_handle_id (&self->timer, g_source_remove);
  g_clear_pointer (&self->recorder, facet_recorder_free); /* the file stays */
  g_clear_object (&self->settings);
  G_OBJECT_CLASS (facet_recorder_bar_parent_class)->dispose (object);
}

static void
facet_recorder_bar_finalize (GObject *object)
{
  g_free (FACET_RECORDER_BAR (object)->folder);
  G_OBJECT_CLASS (facet_recorder_bar_parent_class)->finalize (object);
}

static void
facet_recorder_bar_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  switch (id) {
  case PROP_RECORDING:
    g_value_set_boolean (value, facet_recorder_bar_is_recording (FACET_RECORDER_BAR (object)));
    break;
  default:
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  }
}

static void
facet_recorder_bar_class_init (FacetRecorderBarClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  object_class->dispose = facet_recorder_bar_dispose;
  object_class->finalize = facet_recorder_bar_finalize;
  object_class->get_property = facet_recorder_bar_get_property;
  props[PROP_RECORDING] = g_param_spec_boolean ("recording", NULL, NULL, FALSE,
                                                G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (object_class, N_PROPS, props);
  signals[SIGNAL_RECORDED] = g_signal_new ("recorded", FACET_TYPE_RECORDER_BAR, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                           G_TYPE_NONE, 1, G_TYPE_STRING);
  signals[SIGNAL_CLOSED] = g_signal_new ("closed", FACET_TYPE_RECORDER_BAR, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                         G_TYPE_NONE, 0);

  gtk_widget_class_set_template_from_resource (widget_class, "/io/github/facet_desktop/Facet/facet-recorder-bar.ui");
  gtk_widget_class_bind_template_child (widget_class, FacetRecorderBar, pages);
  gtk_widget_class_bind_template_child (widget_class, FacetRecorderBar, recording);
  gtk_widget_class_bind_template_child (widget_class, FacetRecorderBar, problem_page);
  gtk_widget_class_bind_template_child (widget_class, FacetRecorderBar, problem);
  gtk_widget_class_bind_template_child (widget_class, FacetRecorderBar, time);
  gtk_widget_class_bind_template_child (widget_class, FacetRecorderBar, level);
  gtk_widget_class_bind_template_child (widget_class, FacetRecorderBar, waveform_bin);
  gtk_widget_class_bind_template_child (widget_class, FacetRecorderBar, pause);
  gtk_widget_class_bind_template_child (widget_class, FacetRecorderBar, devices);
  gtk_widget_class_bind_template_child (widget_class, FacetRecorderBar, other_devices);
  gtk_widget_class_bind_template_callback (widget_class, pause_cb);
  gtk_widget_class_bind_template_callback (widget_class, close_cb);
  gtk_widget_class_bind_template_callback (widget_class, facet_recorder_bar_start);
  gtk_widget_class_bind_template_callback (widget_class, facet_recorder_bar_keep);
  gtk_widget_class_bind_template_callback (widget_class, facet_recorder_bar_discard);
}

static void
facet_recorder_bar_init (FacetRecorderBar *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
  self->waveform = FACET_WAVEFORM (facet_waveform_new ());
  gtk_accessible_update_property (GTK_ACCESSIBLE (self->waveform), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                  _("Sound being recorded"), -1);
  adw_bin_set_child (self->waveform_bin, GTK_WIDGET (self->waveform));
  show_pause (self, FALSE);
}

FacetRecorderBar *
facet_recorder_bar_new (GSettings *settings, const char *folder)
{
  FacetRecorderBar *self = g_object_new (FACET_TYPE_RECORDER_BAR, NULL);
  g_autoptr (GSimpleActionGroup) actions = g_simple_action_group_new ();
  g_autoptr (GAction) microphone = g_settings_create_action (settings, "microphone");

  self->settings = g_object_ref (settings);
  self->folder = g_strdup (folder);
  g_action_map_add_action (G_ACTION_MAP (actions), microphone);
  gtk_widget_insert_action_group (GTK_WIDGET (self), "recorder", G_ACTION_GROUP (actions));
  g_signal_connect_object (settings, "changed::microphone", G_CALLBACK (device_changed_cb), self, G_CONNECT_SWAPPED);
  return self;
}
