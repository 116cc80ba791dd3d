import javax.jms.JMSConsumer;
import javax.jms.JMSContext;
import org.apache.qpid.jms.JmsConnectionFactory;

/** Prints so many messages of an address: Receive HOST:PORT ADDRESS COUNT */
public class Receive {
    public static void main(String[] args) {
        try (JMSContext context = new JmsConnectionFactory("amqp://" + args[0]).createContext()) {
            JMSConsumer consumer = context.createConsumer(context.createQueue(args[1]));
            for (int i = Integer.parseInt(args[2]); i > 0; i--) {
                String text = consumer.receiveBody(String.class, 30_000);
                if (text == null) throw new IllegalStateException("no message came within 30 s");
                System.out.println(text);
            }
        }
    }
}
