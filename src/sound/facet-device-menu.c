#define G_LOG_DOMAIN "facet"

#include "config.h"

#include <glib/gi18n-lib.h>

#include "facet-device-menu.h"

#include "facet-recorder.h"

static void
look_thread (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  g_task_return_pointer (task, facet_voice_devices (FACET_VOICE_INPUT), (GDestroyNotify) g_ptr_array_unref);
}

static void
add_item (GMenu *menu, const char *label, const char *id)
{
  g_autoptr (GMenuItem) item = g_menu_item_new (label, NULL);

  g_menu_item_set_action_and_target (item, "recorder.microphone", "s", id);
  g_menu_append_item (menu, item);
}

/* A mnemonic mark in a device's name is a character like others. */
static void
add_device (GMenu *menu, const FacetVoiceDevice *device)
{
  g_autoptr (GString) label = g_string_new (device->name);

  g_string_replace (label, "_", "__", 0);
  add_item (menu, label->str, device->id);
}

static void
fill (GtkMenuButton *button, GPtrArray *devices)
{
  g_autoptr (GMenu) menu = g_menu_new ();
  g_autoptr (GMenu) first = g_menu_new ();
  g_autoptr (GMenu) rest = g_menu_new ();

  add_item (first, C_("recording device", "Like the System"), "");
  for (guint i = 0; devices != NULL && i < devices->len; i++)
    add_device (rest, devices->pdata[i]);
  g_menu_append_section (menu, _("Microphone"), G_MENU_MODEL (first));
  g_menu_append_section (menu, NULL, G_MENU_MODEL (rest));
  gtk_menu_button_set_menu_model (button, G_MENU_MODEL (menu));
}

static void
looked_cb (GObject *object, GAsyncResult *result, gpointer data)
{
  g_autoptr (GtkMenuButton) button = data;
  g_autoptr (GPtrArray) devices = g_task_propagate_pointer (G_TASK (result), NULL);

  fill (button, devices);
}

void
facet_device_menu_fill (GtkMenuButton *button)
{
  g_autoptr (GTask) task = g_task_new (NULL, NULL, looked_cb, g_object_ref (button));

  if (gtk_menu_button_get_menu_model (button) == NULL)
    fill (button, NULL);
  g_task_run_in_thread (task, look_thread);
}
